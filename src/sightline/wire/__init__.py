"""The standards at the edge: each wire translates and does nothing else."""
