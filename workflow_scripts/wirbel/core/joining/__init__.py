"""Stations that were segmented apart: their vertebrae matched by position, named together, each counted once."""
