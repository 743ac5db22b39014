"""Predictions that others made: reading their files, importing them as runs, removing them."""
