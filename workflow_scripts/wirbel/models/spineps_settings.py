"""Turn model folders' settings into what the steps of `wirbel.core.spineps` need."""

from __future__ import annotations

from wirbel.core.spineps.inference_settings import InstanceSettings, NumberSettings
from wirbel.core.spineps.merging.numbering import FIRST, FIRST_WITH_C1
from wirbel.models.inference_config import InferenceConfig


def instance_settings(config: InferenceConfig) -> InstanceSettings:
    """Return the settings of an instance model."""
    return InstanceSettings(
        spacing_for=config.spacing_for,
        resolution=config.resolution_range,
        cutout_size=config.cutout_size,
        mapping=config.mapping,
        smallest_body=config.corpus_size_cleaning,
        smallest_vertebra=config.vert_size_threshold,
    )


def number_settings(semantic: InferenceConfig) -> NumberSettings:
    """Return the settings of a semantic model that decide numbers."""
    with_c1 = semantic.is_tomography and semantic.has_c1
    return NumberSettings(
        first=FIRST_WITH_C1 if with_c1 else FIRST,
        sacrum_ids=semantic.sacrum_ids,
        metal_ids=semantic.metal,
    )
