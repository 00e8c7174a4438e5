"""Figures, from canvas to SVG and PNG."""
