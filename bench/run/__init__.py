"""Runs: cells in, records out."""
