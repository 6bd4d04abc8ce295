"""`make bench`: what polls and a reset cost, measured and never asserted. Times are a machine's; ratios travel."""
