"""Files of others as columns: which hold architectures of NAS-Bench-201, which numbers, and what both say."""
