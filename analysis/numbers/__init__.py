"""Statistics of plain numbers: means with intervals, tests, ranks, correlations. They know nothing of records."""
