"""Where trials are measured: processes, Ray, Slurm."""
