"""From counted vertebrae and a labelling network's answers to the final maps."""

from __future__ import annotations

from functools import partial

from wirbel.core.inference_config import InferenceConfig
from wirbel.core.labelling.level_evidence import Heads
from wirbel.core.labelling.named_maps import name_maps, renamed_maps
from wirbel.core.merging.map_types import CountedMaps, FinalMaps
from wirbel.core.method.names import OWN, SPINEPS
from wirbel.core.spineps.merging import naming as published


def name(
    method: str,
    counted: CountedMaps,
    asked: list[int],
    heads: Heads,
    semantic: InferenceConfig,
) -> FinalMaps:
    """Name the vertebrae.

    Parameters
    ----------
    method : str
        `OWN`, `PUBLISHED` or `SPINEPS`.
    counted : CountedMaps
        Maps whose vertebrae are counted.
    asked : list of int
        The vertebrae that the network was asked about.
    heads : mapping of str to ndarray
        Its answers.
    semantic : InferenceConfig
        The semantic network's settings.
    """
    return name_maps(counted, asked, heads, semantic.has_c1, _finish(method, counted, semantic))


def _finish(method: str, counted: CountedMaps, semantic: InferenceConfig):
    """Return what makes the final maps of the counted ones and number -> label."""
    if method == OWN:
        return partial(renamed_maps, counted.subregion, counted.vertebra)
    names_of = published.named_as_spineps if method == SPINEPS else published.named_maps
    return partial(names_of, counted, semantic)
