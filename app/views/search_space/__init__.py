"""The page Search space."""
