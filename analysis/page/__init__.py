"""The page: its answer in front, and all that opens from it."""
