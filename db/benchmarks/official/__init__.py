"""What the benchmark's authors publish: large pickles, read in processes with limits."""
