"""Plain functions from arrays to numbers: scores, groups, baselines, intervals over sources."""
