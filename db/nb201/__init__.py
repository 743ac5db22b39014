"""The cell of NAS-Bench-201: architectures, their notations, masks, and which of them are equal."""
