"""Studies on a Slurm cluster: submitting, what a job does, and what the queue says."""
