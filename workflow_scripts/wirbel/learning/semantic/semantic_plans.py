"""The semantic network's description in nnU-Net v2's formats: plans.json and dataset.json.

Arrays stay in the order of the model grid (P, I, R): `transpose_forward` is the identity, in
training and inference. The third axis has the thick slices, so the first stages neither mix nor
pool it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wirbel.core.inference_config import TOMOGRAPHY
from wirbel.core.labels import BODY, SUBREGION_NAMES
from wirbel.learning.stored_settings import StoredSettings

DATASET_NAME = "Dataset500_Wirbel"
PLANS_NAME = "nnUNetPlans"
CONFIGURATION = "3d_fullres"
TRAINER_NAME = "WirbelTrainer"
T2W = "T2w"
CONTRASTS = (T2W, TOMOGRAPHY)

SEMANTIC_LABELS = tuple(label for label in SUBREGION_NAMES if label != BODY)
"""The label of each consecutive class 1, 2, ...; the body is one class, written as 49."""


@dataclass(frozen=True)
class PatchNetwork(StoredSettings):
    """Size of a network that sees one patch at a time; `spacing_mm` and `patch_size` along (P, I, R)."""

    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 3.0)
    patch_size: tuple[int, int, int] = (128, 160, 24)
    batch_size: int = 2
    features: tuple[int, ...] = (16, 32, 64, 96, 128, 160)
    in_plane_stages: int = 2
    """Number of first stages with 3 x 3 x 1 kernels."""
    thick_pooling_stages: tuple[int, ...] = (3, 4)
    """Stages entered by halving all three axes; the others halve only the two in-plane axes."""
    slices_mm: tuple[float, float] | None = None
    """Limits within which a scan keeps its own slice spacing. None always resamples to `spacing_mm`."""

    @property
    def limits_mm(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Smallest and largest voxel size of the model grid along (P, I, R)."""
        return limits_mm(self.spacing_mm, self.slices_mm)

    def kernels(self) -> list[list[int]]:
        """Return the kernel size of every stage."""
        return [[3, 3, 1 if s < self.in_plane_stages else 3] for s in range(len(self.features))]

    def strides(self) -> list[list[int]]:
        """Return the stride with which every stage is entered."""
        later = range(1, len(self.features))
        return [[1, 1, 1]] + [[2, 2, 2 if s in self.thick_pooling_stages else 1] for s in later]


@dataclass(frozen=True)
class SemanticNetwork(PatchNetwork):
    """Size of the semantic network, and what it sees."""

    contrast: str = T2W
    """What the images show: `T2w`, or `CT` for computed tomography, as `wirbel translate` makes it of MR images."""

    @property
    def is_tomography(self) -> bool:
        """Whether the images are in Hounsfield units."""
        return self.contrast == TOMOGRAPHY


def limits_mm(
    spacing_mm: tuple[float, ...], slices_mm: tuple[float, float] | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the smallest and largest voxel size along (P, I, R) if the slice spacing (R) varies
    within `slices_mm`.
    """
    low, high = slices_mm or (spacing_mm[2], spacing_mm[2])
    return (*spacing_mm[:2], low), (*spacing_mm[:2], high)


def class_of_label() -> dict[int, int]:
    """Return label -> consecutive class; both body labels are one class."""
    classes = {label: index + 1 for index, label in enumerate(SEMANTIC_LABELS)}
    return {**classes, BODY: classes[BODY - 1]}


def dataset_json(number_of_cases: int) -> dict[str, Any]:
    """Return the content of nnU-Net's dataset.json."""
    names = {SUBREGION_NAMES[label]: index + 1 for index, label in enumerate(SEMANTIC_LABELS)}
    return {
        "channel_names": {"0": "T2w"},
        "labels": {"background": 0, **names},
        "numTraining": number_of_cases,
        "file_ending": ".nii.gz",
    }


def plans_json(network: SemanticNetwork, median_shape: list[int]) -> dict[str, Any]:
    """Return the content of nnU-Net's plans.json for `network`; `median_shape` of the cases along (P,
    I, R).
    """
    resampling = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
    configuration = {
        "data_identifier": f"{PLANS_NAME}_{CONFIGURATION}",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": network.batch_size,
        "patch_size": list(network.patch_size),
        "median_image_size_in_voxels": median_shape,
        "spacing": list(network.spacing_mm),
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": resampling,
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_seg_kwargs": {**resampling, "is_seg": True, "order": 1},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": {**resampling, "order": 1},
        "architecture": architecture(network),
        "batch_dice": False,
    }
    return {
        "dataset_name": DATASET_NAME,
        "plans_name": PLANS_NAME,
        "original_median_spacing_after_transp": list(network.spacing_mm),
        "original_median_shape_after_transp": median_shape,
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {CONFIGURATION: configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": {}},
    }


def architecture(network: PatchNetwork) -> dict[str, Any]:
    """Return the part of plans.json that describes the layers."""
    stages = len(network.features)
    return {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": stages,
            "features_per_stage": list(network.features),
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": network.kernels(),
            "strides": network.strides(),
            "n_conv_per_stage": [2] * stages,
            "n_conv_per_stage_decoder": [1] * (stages - 1),
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
