"""Files, safely: written whole, read with bounds, and nothing of a pickle or a torch file is run."""
