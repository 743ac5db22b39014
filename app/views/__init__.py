"""The pages, one file each; run by `app/main.py`, not imported."""
