"""The page Rankings."""
