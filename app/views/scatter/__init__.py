"""The page Scatter."""
