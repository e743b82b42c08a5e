"""Measurements of vertebrae, discs, canal and cord from a pair of final label maps.

Everything is computed in world millimetres and in each structure's own frame. What every number means
is declared once, in `wirbel.core.dictionary`.
"""

from wirbel.core.measures.measure import Measurements, measure, measure_maps

__all__ = ["Measurements", "measure", "measure_maps"]
