"""The plan: what decides the results of every stage, written down once by the main process and read by jobs."""
