"""What inference needs of nnU-Net's plans.json and dataset.json, and the network that they describe.

nnU-Net's own reader of plans imports its readers, resamplers and trainers, which takes longer than loading
the weights; here only `dynamic_network_architectures`, which holds the networks, is imported. Names in a file
are looked up in lists of what may be built, never imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from nnunetv2.preprocessing.normalization import default_normalization_schemes as schemes

from wirbel.learning.plan_spacing import PlanSpacing

NETWORKS = {network.__name__: network for network in (PlainConvUNet, ResidualEncoderUNet)}
NORMALISATIONS = {
    scheme.__name__: scheme
    for scheme in (
        schemes.ZScoreNormalization,
        schemes.CTNormalization,
        schemes.NoNormalization,
        schemes.RescaleTo01Normalization,
    )
}
RESAMPLING = "resample_data_or_seg_to_shape"


@dataclass(frozen=True)
class Plans:
    """One configuration of a plans.json; sizes and axes in nnU-Net's (transposed) order."""

    patch_size: tuple[int, ...]
    transpose_forward: tuple[int, ...]
    spacing: PlanSpacing
    normalisation: schemes.ImageNormalization
    heads: int
    """Classes, background included."""
    network: type[torch.nn.Module]
    network_settings: dict[str, Any]


def read_plans(plans: dict, dataset: dict, configuration: str) -> Plans:
    """Read one configuration; raises ValueError where the files ask for what is not supported.

    `plans` and `dataset` are the decoded plans.json (nnU-Net 2.0 and later) and dataset.json.
    """
    chosen = _configuration(plans, configuration)
    _check_channels(chosen, dataset)
    architecture = chosen.get("architecture") or _first_format(chosen)
    return Plans(
        patch_size=tuple(chosen["patch_size"]),
        transpose_forward=tuple(plans["transpose_forward"]),
        spacing=_spacing(chosen),
        normalisation=_normalisation(plans, chosen),
        heads=_heads(dataset["labels"]),
        network=_listed(NETWORKS, architecture["network_class_name"], "network"),
        network_settings=_network_settings(architecture),
    )


def read_json(path: Path) -> Any:
    """Return a decoded file of a results folder; raises ValueError where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{path.parent} is no nnU-Net results folder: there is no {path.name}"
        ) from None
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None


@contextmanager
def as_nnunet_writes(results: Path) -> Iterator[None]:
    """Turn what goes wrong while the files of a results folder are used into a ValueError that names it."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, AssertionError) as error:
        missing = isinstance(error, KeyError)
        told = f"there is no {error} in them" if missing else str(error).partition("\n")[0]
        raise ValueError(
            f"{results}: plans.json and dataset.json are not as nnU-Net writes them: {told}"
        ) from error
    except ValueError as error:
        raise ValueError(f"{results}: {error}") from error


def build_network(plans: Plans) -> torch.nn.Module:
    """Return the network, not yet trained, for one input channel; its output is (B, heads, *patch)."""
    return plans.network(
        input_channels=1, num_classes=plans.heads, deep_supervision=False, **plans.network_settings
    )


def _configuration(plans: dict, name: str) -> dict:
    """Return a configuration completed by those that it inherits from."""
    chosen: dict = {}
    seen: list[str] = []
    while name:
        if name not in plans["configurations"] or name in seen:
            known = ", ".join(plans["configurations"])
            raise ValueError(f"plans.json has no configuration {name!r} to use; it has {known}")
        seen.append(name)
        chosen = {**plans["configurations"][name], **chosen}
        name = plans["configurations"][name].get("inherits_from")
    return chosen


def _check_channels(configuration: dict, dataset: dict) -> None:
    channels = dataset.get("channel_names", dataset.get("modality", {}))
    if len(channels) != 1 or configuration.get("previous_stage"):
        raise ValueError(
            f"expected a network with the image as its only input, found inputs {channels}"
            + (" and the output of another network" if configuration.get("previous_stage") else "")
        )


def _heads(labels: dict) -> int:
    """Return the number of classes; nnU-Net's label `ignore` is none of them."""
    numbers = [label for name, label in labels.items() if name != "ignore"]
    if any(isinstance(number, (list, tuple)) and len(number) > 1 for number in numbers):
        raise ValueError("expected one class per voxel, found a network with overlapping regions")
    return len({int(number[0] if isinstance(number, list) else number) for number in numbers})


def _spacing(configuration: dict) -> PlanSpacing:
    """Return the plans' voxel size; only nnU-Net's standard resampling to it and back is known."""
    settings = []
    for kind in ("data", "probabilities"):
        name = configuration.get(f"resampling_fn_{kind}", RESAMPLING)
        if name != RESAMPLING:
            raise ValueError(f"expected resampling by {RESAMPLING}, found {name!r}")
        settings.append(dict(configuration.get(f"resampling_fn_{kind}_kwargs", {})))
    return PlanSpacing(tuple(float(mm) for mm in configuration["spacing"]), *settings)


def _normalisation(plans: dict, configuration: dict) -> schemes.ImageNormalization:
    name = "foreground_intensity_properties"
    properties = plans.get(f"{name}_per_channel", plans.get(f"{name}_by_modality", {}))
    scheme = _listed(NORMALISATIONS, configuration["normalization_schemes"][0], "normalisation")
    return scheme(configuration["use_mask_for_norm"][0], properties.get("0", {}))


def _network_settings(architecture: dict) -> dict[str, Any]:
    """Return the network's arguments, with layers in place of their names."""
    settings = dict(architecture["arch_kwargs"])
    for key in architecture["_kw_requires_import"]:
        if settings[key] is not None:
            settings[key] = _layer(settings[key])
    return settings


def _layer(name: str) -> type[torch.nn.Module]:
    """Return the layer of torch.nn called `name`, such as torch.nn.modules.conv.Conv3d."""
    package, _, last = name.rpartition(".")
    layer = getattr(torch.nn, last, None) if f"{package}.".startswith("torch.nn.") else None
    if not (isinstance(layer, type) and issubclass(layer, torch.nn.Module)):
        raise ValueError(f"expected a layer of torch.nn, found {name!r}")
    return layer


def _first_format(configuration: dict) -> dict[str, Any]:
    """Return the architecture from the fields of nnU-Net 2.0 to 2.3, which always meant 3D."""
    name = configuration["UNet_class_name"]
    stages = len(configuration["n_conv_per_stage_encoder"])
    first, most = configuration["UNet_base_num_features"], configuration["unet_max_num_features"]
    blocks = "n_blocks_per_stage" if name == "ResidualEncoderUNet" else "n_conv_per_stage"
    settings = {
        "n_stages": stages,
        "features_per_stage": [min(first * 2**stage, most) for stage in range(stages)],
        "conv_op": "torch.nn.Conv3d",
        "kernel_sizes": configuration["conv_kernel_sizes"],
        "strides": configuration["pool_op_kernel_sizes"],
        blocks: configuration["n_conv_per_stage_encoder"],
        "n_conv_per_stage_decoder": configuration["n_conv_per_stage_decoder"],
        "conv_bias": True,
        "norm_op": "torch.nn.InstanceNorm3d",
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }
    names = ["conv_op", "norm_op", "dropout_op", "nonlin"]
    return {"network_class_name": name, "arch_kwargs": settings, "_kw_requires_import": names}


def _listed(known: dict[str, Any], name: str, kind: str) -> Any:
    last = name.rpartition(".")[2]
    if last not in known:
        raise ValueError(f"expected a {kind} out of {', '.join(known)}, found {name!r}")
    return known[last]
