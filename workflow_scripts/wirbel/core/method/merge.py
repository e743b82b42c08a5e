"""From both networks' answers to both label maps."""

from __future__ import annotations

from wirbel.core.inference_config import InferenceConfig
from wirbel.core.instances.network_results import Found
from wirbel.core.merging import both_maps as own
from wirbel.core.merging.map_types import CountedMaps, FinalMaps
from wirbel.core.method.cut_out import instance_map
from wirbel.core.method.names import OWN, SPINEPS
from wirbel.core.spineps.merging import both_maps as spineps
from wirbel.core.spineps.merging import naming as published


def merge(
    method: str, found: Found, semantic: InferenceConfig, instance: InferenceConfig
) -> FinalMaps:
    """Return the final maps; `semantic` and `instance` are the networks' settings.

    Parameters
    ----------
    method : str
        Whose steps: `wirbel.core.method.names`.
    found : Found
        What the networks found.
    semantic, instance : InferenceConfig
        Settings of both networks.

    Returns
    -------
    FinalMaps
        On the scan's own grid.

    Raises
    ------
    ScanError
        "no_spine_found" if there is no vertebra.
    """
    if method == OWN:
        labels = instance_map(method, found.labels, instance, found.spacing_mm)
        return own.merge(labels, found.predictions, found.scan_grid)
    if method == SPINEPS:
        return published.flagged(spineps.merge(found, semantic, instance))
    return published.merge(found, semantic, instance)


def merge_unnamed(
    method: str, found: Found, semantic: InferenceConfig, instance: InferenceConfig
) -> CountedMaps:
    """Return maps whose vertebrae are counted, for a labelling network to name; arguments as in `merge`.

    Parameters
    ----------
    method : str
        Whose steps: `wirbel.core.method.names`.
    found : Found
        What the networks found.
    semantic, instance : InferenceConfig
        Settings of both networks.

    Returns
    -------
    CountedMaps
        On the scan's own grid.
    """
    if method == OWN:
        labels = instance_map(method, found.labels, instance, found.spacing_mm)
        return own.merge_unnamed(labels, found.predictions, found.scan_grid)
    if method == SPINEPS:
        return spineps.unnumbered(found, semantic, instance)
    return published.merge_unnamed(found, semantic, instance)
