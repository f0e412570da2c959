"""Estimate the delay between picture and sound without learning: motion against onsets, correlated."""
