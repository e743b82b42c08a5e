"""Batches, provenance keys, per-scan records and the loop that every per-scan stage runs in."""
