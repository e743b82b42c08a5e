"""Build the network that nnU-Net's plans.json and dataset.json describe, after `models.folders.plans`
has checked them.

nnU-Net's own plans reader imports its readers, resamplers and trainers, which takes longer than
loading the weights. Here only `dynamic_network_architectures`, which has the networks, is imported.
Names in a file are looked up in lists of what may be built, never imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from nnunetv2.preprocessing.normalization import default_normalization_schemes as schemes

from wirbel.learning.semantic.frugal import NETWORKS
from wirbel.learning.semantic.plan_spacing import PlanSpacing
from wirbel.models.folders.plans import PlansFile, judged_plans

NORMALISATIONS = {
    scheme.__name__: scheme
    for scheme in (
        schemes.ZScoreNormalization,
        schemes.CTNormalization,
        schemes.NoNormalization,
        schemes.RescaleTo01Normalization,
    )
}
LAYERS = ("conv_op", "norm_op", "dropout_op", "nonlin")
"""Arguments of a network that name a layer of torch.nn; the schema lists the allowed names."""


@dataclass(frozen=True)
class Plans:
    """One configuration of a plans.json; sizes and axes in nnU-Net's (transposed) order."""

    patch_size: tuple[int, ...]
    transpose_forward: tuple[int, ...]
    spacing: PlanSpacing
    normalisation: schemes.ImageNormalization
    heads: int
    """Number of classes, background included."""
    network: type[torch.nn.Module]
    network_settings: dict[str, Any]


def read_plans(plans: dict, dataset: dict, configuration: str, folder: str = "") -> Plans:
    """Read one configuration.

    Parameters
    ----------
    plans, dataset : dict
        Decoded plans.json (nnU-Net 2.0 and later) and dataset.json.
    configuration : str
        Its name.
    folder : str
        Where the files are, for messages.

    Raises
    ------
    ModelError
        If the files need something that is not supported.
    """
    judged = judged_plans(plans, dataset, configuration, folder)
    settings = judged.settings
    return Plans(
        patch_size=tuple(settings["patch_size"]),
        transpose_forward=judged.transpose_forward,
        spacing=_spacing(settings),
        normalisation=_normalisation(judged),
        heads=judged.heads,
        network=NETWORKS[judged.network],
        network_settings=network_settings(judged.arguments),
    )


def build_network(plans: Plans) -> torch.nn.Module:
    """Return the untrained network for one input channel; its output is (B, heads, *patch)."""
    return plans.network(
        input_channels=1, num_classes=plans.heads, deep_supervision=False, **plans.network_settings
    )


def _spacing(settings: dict) -> PlanSpacing:
    """Return the plans' voxel size, and how to resample to it and back."""
    resampling = [
        dict(settings.get(f"resampling_fn_{kind}_kwargs", {})) for kind in ("data", "probabilities")
    ]
    return PlanSpacing(tuple(float(mm) for mm in settings["spacing"]), *resampling)


def _normalisation(judged: PlansFile) -> schemes.ImageNormalization:
    scheme = judged.settings["normalization_schemes"][0].rpartition(".")[2]
    return NORMALISATIONS[scheme](judged.settings["use_mask_for_norm"][0], judged.intensities)


def network_settings(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the network's arguments, with layers instead of their names."""
    return {
        name: getattr(torch.nn, value.rpartition(".")[2]) if name in LAYERS and value else value
        for name, value in arguments.items()
    }
