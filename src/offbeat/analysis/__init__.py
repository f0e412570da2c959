"""Plain functions from arrays to numbers: scores and their intervals. Needs numpy and scipy only."""
