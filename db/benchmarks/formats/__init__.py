"""Importers of reduced benchmark files, one a format."""
