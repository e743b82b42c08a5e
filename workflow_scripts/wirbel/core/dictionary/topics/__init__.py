"""Columns by topic, which tables of vertebrae, discs, levels and scans take up."""
