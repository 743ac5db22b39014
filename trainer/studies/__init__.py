"""Studies: many experiments with several seeds, on this machine or on a Slurm cluster."""
