"""The machine a job runs on: locks, GPUs, signals, resources used, logs."""
