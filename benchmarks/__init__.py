"""Measurements of speed and memory: `python -m benchmarks` prints them all. Nothing here is a test."""
