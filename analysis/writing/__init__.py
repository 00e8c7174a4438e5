"""How results are written: sections and tables, what stands under them, and the files that they become."""
