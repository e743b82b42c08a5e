"""Check nnU-Net's plans.json and dataset.json, and return one configuration in one form for all
versions of nnU-Net 2.

The schema (`schema`) bounds every field; this module checks fields against each other. Nothing is
built.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from wirbel.models.folders.schema import (
    MOST_VALUES,
    MOST_VOXELS,
    SMALLEST_VOXEL_MM3,
    check_content,
    refusal,
)
from wirbel.models.folders.wording import short

PLANS, DATASET = "plans.json", "dataset.json"
CT = "CTNormalization"
CT_NEEDS = ("mean", "std", "percentile_00_5", "percentile_99_5")
FEWEST_VOXELS = 1024
"""A smaller patch would cut a scan into millions of tiles."""
LAYERS = {"PlainConvUNet": "n_conv_per_stage", "ResidualEncoderUNet": "n_blocks_per_stage"}
"""Network -> its field with the number of layers or blocks of every stage."""
ONLY_IN = {"nonlin_first": "PlainConvUNet", "stem_channels": "ResidualEncoderUNet"}
ONE_PER_STAGE = ("features_per_stage", "kernel_sizes", "strides")


@dataclass(frozen=True)
class PlansFile:
    """A valid configuration; sizes and axes in nnU-Net's (transposed) order."""

    settings: dict[str, Any]
    """The configuration, completed by the ones it inherits from."""
    transpose_forward: tuple[int, ...]
    intensities: dict[str, float]
    """Of the only channel; empty if the plans have none."""
    heads: int
    """Number of classes, background included."""
    network: str
    arguments: dict[str, Any]
    """Of the network; layers are given by name."""


def judged_plans(plans: Any, dataset: Any, name: str, folder: str = "") -> PlansFile:
    """Return configuration `name` of the decoded files.

    Parameters
    ----------
    plans, dataset : object
        Decoded plans.json and dataset.json.
    name : str
        The configuration.
    folder : str
        Where the files are, for messages.

    Raises
    ------
    ModelError
        Names the file and the wrong field.
    """
    file, other = _path(folder, PLANS), _path(folder, DATASET)
    check_files(plans, dataset, folder)
    settings = _completed(plans, name, file)
    place = ["configurations", name]
    check_content(settings, "configuration", file, place)
    architecture = settings.get("architecture") or _first_format(settings)
    network = architecture["network_class_name"].rpartition(".")[2]
    arguments = architecture["arch_kwargs"]
    _check_arguments(network, arguments, file, [*place, "architecture", "arch_kwargs"])
    _check_patch(settings["patch_size"], arguments, file, [*place, "patch_size"])
    intensities = _intensities(plans, settings, file)
    heads = _heads(dataset["labels"], other)
    _check_size(settings, max(heads, _first_features(arguments)), file, place)
    transpose = tuple(plans["transpose_forward"])
    return PlansFile(settings, transpose, intensities, heads, network, arguments)


def check_files(plans: Any, dataset: Any, folder: str = "") -> None:
    """Raise ModelError if the files are wrong for every configuration."""
    check_content(plans, "plans", _path(folder, PLANS))
    check_content(dataset, "dataset", _path(folder, DATASET))
    if not dataset.get("channel_names", dataset.get("modality")):
        sentence = "expected a network with the image as its only input, found no inputs"
        raise refusal(_path(folder, DATASET), ["channel_names"], sentence)


def _path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _completed(plans: dict, name: str, file: str) -> dict[str, Any]:
    """Return a configuration completed by the ones it inherits from."""
    chosen: dict = {}
    seen: list[str] = []
    known = plans["configurations"]
    while name:
        if name not in known or name in seen:
            names = ", ".join(short(one) for one in list(known)[:8])
            sentence = f"there is no configuration {short(name)} to use, found {names}"
            raise refusal(file, ["configurations"], sentence)
        seen.append(name)
        chosen = {**known[name], **chosen}
        name = known[name].get("inherits_from")
    return chosen


def _check_arguments(network: str, arguments: dict, file: str, place: list[str]) -> None:
    """Raise ModelError unless every field belongs to the network and has one entry per stage."""
    layers = LAYERS[network]
    wrong = [name for name, owner in ONLY_IN.items() if name in arguments and owner != network]
    wrong += [name for name in LAYERS.values() if name in arguments and name != layers]
    if wrong:
        raise refusal(file, [*place, wrong[0]], f"expected no such field of a {network}")
    if layers not in arguments:
        raise refusal(file, [*place, layers], f"there is no such field; a {network} needs it")
    stages = arguments["n_stages"]
    wanted = {**dict.fromkeys((*ONE_PER_STAGE, layers), stages)}
    for name, length in {**wanted, "n_conv_per_stage_decoder": stages - 1}.items():
        value = arguments[name]
        if isinstance(value, list) and len(value) != length:
            sentence = f"expected {length} entries with {stages} stages, found {len(value)}"
            raise refusal(file, [*place, name], sentence)


def _check_patch(patch: list[int], arguments: dict, file: str, place: list[str]) -> None:
    """Raise ModelError unless the strides divide the patch and leave more than one voxel."""
    if math.prod(patch) > MOST_VOXELS:
        raise refusal(file, place, f"expected at most {MOST_VOXELS} voxels, found {short(patch)}")
    shrunk = [math.prod(stride[axis] for stride in _strides(arguments)) for axis in range(3)]
    if any(edge % factor for edge, factor in zip(patch, shrunk, strict=True)):
        sentence = f"expected multiples of {shrunk}, the product of the strides, found {patch}"
        raise refusal(file, place, sentence)
    if patch == shrunk:
        raise refusal(file, place, f"expected more than {shrunk}, which leaves only one voxel")


def _check_size(settings: dict, channels: int, file: str, place: list[str]) -> None:
    """Raise ModelError if a patch with this many channels, or a scan with voxels this small, would
    fill the memory.
    """
    patch, spacing_mm = settings["patch_size"], settings["spacing"]
    if channels * math.prod(patch) > MOST_VALUES or math.prod(patch) < FEWEST_VOXELS:
        sentence = (
            f"expected at least {FEWEST_VOXELS} voxels, and with {channels} channels at most {MOST_VALUES} numbers, "
            f"found {patch}"
        )
        raise refusal(file, [*place, "patch_size"], sentence)
    if math.prod(spacing_mm) < SMALLEST_VOXEL_MM3:
        sentence = f"expected voxels of at least {SMALLEST_VOXEL_MM3} mm3, found {spacing_mm}"
        raise refusal(file, [*place, "spacing"], sentence)


def _first_features(arguments: dict) -> int:
    features = arguments["features_per_stage"]
    return features if isinstance(features, int) else features[0]


def _strides(arguments: dict) -> list[list[int]]:
    """Return the stride of every stage along three axes."""
    found, stages = arguments["strides"], arguments["n_stages"]
    by_stage = [found] * stages if isinstance(found, int) else found
    return [[stride] * 3 if isinstance(stride, int) else stride for stride in by_stage]


def _intensities(plans: dict, settings: dict, file: str) -> dict[str, float]:
    """Return the intensities of the only channel; raise ModelError if the normalisation needs more."""
    name = "foreground_intensity_properties_per_channel"
    if name not in plans:
        name = "foreground_intensity_properties_by_modality"
    found = plans.get(name, {}).get("0", {})
    missing = [field for field in CT_NEEDS if field not in found]
    if settings["normalization_schemes"][0].endswith(CT) and missing:
        sentence = f"there is no field {missing[0]!r}: {CT} needs it"
        raise refusal(file, [name, "0"], sentence)
    return found


def _heads(labels: dict, file: str) -> int:
    """Return the number of classes; nnU-Net's label `ignore` does not count."""
    given = {name: label for name, label in labels.items() if name != "ignore"}
    for name, label in given.items():
        if isinstance(label, list) and len(label) > 1:
            sentence = "expected one class per voxel, found a network with overlapping regions"
            raise refusal(file, ["labels", name], sentence)
    numbers = {int(label[0] if isinstance(label, list) else label) for label in given.values()}
    if numbers != set(range(len(numbers))):
        sentence = f"expected consecutive numbers from 0, found {short(sorted(numbers))}"
        raise refusal(file, ["labels"], sentence)
    return len(numbers)


def _first_format(configuration: dict) -> dict[str, Any]:
    """Return the architecture from the fields of nnU-Net 2.0 to 2.3, which were always 3D."""
    name = configuration["UNet_class_name"]
    stages = len(configuration["n_conv_per_stage_encoder"])
    first, most = configuration["UNet_base_num_features"], configuration["unet_max_num_features"]
    settings = {
        "n_stages": stages,
        "features_per_stage": [min(first * 2**stage, most) for stage in range(stages)],
        "conv_op": "torch.nn.Conv3d",
        "kernel_sizes": configuration["conv_kernel_sizes"],
        "strides": configuration["pool_op_kernel_sizes"],
        LAYERS[name.rpartition(".")[2]]: configuration["n_conv_per_stage_encoder"],
        "n_conv_per_stage_decoder": configuration["n_conv_per_stage_decoder"],
        "conv_bias": True,
        "norm_op": "torch.nn.InstanceNorm3d",
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }
    return {"network_class_name": name, "arch_kwargs": settings}
