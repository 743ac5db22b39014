"""The run folder: its files, how it stands, and who works on it."""
