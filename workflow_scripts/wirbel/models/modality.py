"""Whether a network was trained on what it is to see: MR scans, or the tomograms that `translate` makes of them."""

from __future__ import annotations

from pathlib import Path

from wirbel.core.inference_config import TOMOGRAPHY, InferenceConfig
from wirbel.models.errors import ModelError
from wirbel.models.folders.inference_config import FILE_NAME

SEE_IMAGES = ("semantic", "labelling")
"""Kinds of networks that a run gives scans; an instance network gets label maps."""
CONTRASTS = ("T1w", "T2w", "FLAIR")
"""Endings of scans that are also modalities of networks."""


def need_mr(folder: Path, kind: str, config: InferenceConfig) -> None:
    """Raise ModelError if a network of a run has learned tomograms alone: MR scans would be labelled at random."""
    if kind in SEE_IMAGES and set(config.modality) == {TOMOGRAPHY}:
        raise ModelError(
            f"{folder}: expected a network of MR scans, found one of {TOMOGRAPHY} (modality in {FILE_NAME}), which "
            "finds nothing sensible in MR scans; name a network trained on T2w scans here, and give this one to "
            "`wirbel translate` as `segmentation` (docs/translate.md)"
        )


def need_tomography(folder: Path, config: InferenceConfig) -> None:
    """Raise ModelError if the network that is to segment tomograms has not learned any."""
    if not config.is_tomography:
        raise ModelError(
            f"{folder}: expected a semantic network of {TOMOGRAPHY}, found one of {', '.join(config.modality)} "
            f"(modality in {FILE_NAME}); train one with contrast: {TOMOGRAPHY} (docs/translate.md)"
        )


def contrast_remark(folder: Path, config: InferenceConfig, suffix: str) -> str:
    """Return what to say of scans whose ending names another contrast than the network's; empty where none does."""
    learned = set(config.modality) & set(CONTRASTS)
    if suffix not in CONTRASTS or not learned or suffix in learned:
        return ""
    return (
        f"the semantic network {folder} was trained on {' and '.join(sorted(learned))} scans, and these are {suffix} "
        "scans (setting suffix): labels may be wrong everywhere; look at some pictures first, or name another network"
    )
