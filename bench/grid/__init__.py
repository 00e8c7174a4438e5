"""Grids: YAML in, cells and plans out."""
