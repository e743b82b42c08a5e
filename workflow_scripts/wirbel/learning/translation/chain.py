"""MR image -> tomogram -> label map, both on the scan's grid."""

from __future__ import annotations

from pathlib import Path

from wirbel.core.geometry import Volume
from wirbel.core.method.clean import clean
from wirbel.core.method.names import OWN
from wirbel.core.preparation.image import prepare_image
from wirbel.core.preparation.scan_grid import on_scan_grid
from wirbel.core.resampling import resample_image, resample_labels
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.learning.translation.translator_model import TranslatorModel


class TranslationChain:
    """A translator, and the semantic network that segments its tomograms.

    Parameters
    ----------
    translator : Path
        Model folder.
    segmentation : Path or None
        Model folder of a semantic network trained on tomograms; None: no label maps.
    device : str
        "auto", "cpu" or "cuda".
    threads : int
        Threads on a CPU; 0 uses all available cores.

    Raises
    ------
    ModelError
        If a folder cannot be used.
    """

    def __init__(
        self, translator: Path, segmentation: Path | None, device: str = "auto", threads: int = 0
    ) -> None:
        self.translator = TranslatorModel(translator, device, threads)
        self.semantic = (
            None if segmentation is None else SemanticModel(segmentation, device, threads)
        )

    def tomogram(self, scan: Volume, name: str) -> Volume:
        """Return the tomogram of an MR scan (Hounsfield units) on its grid; raise ScanError, naming `name`."""
        config = self.translator.config
        axes = config.model_expected_orientation
        image = prepare_image(scan, name, config.spacing_for, axes).image
        made = self.translator.translate(image.data)
        return on_scan_grid(made, scan, tuple(image.spacing_mm), resample_image)

    def labels(self, tomogram: Volume, name: str) -> Volume:
        """Return the subregion map of a tomogram on its grid."""
        assert self.semantic is not None  # only called with a network
        config = self.semantic.config
        axes = config.model_expected_orientation
        image = prepare_image(tomogram, name, config.spacing_for, axes, tomography=True).image
        given = self.semantic.normalise(image.data, tuple(image.spacing_mm))
        found = clean(OWN, image.with_data(self.semantic.segment(given, image.data.shape)))
        return on_scan_grid(found.data, tomogram, tuple(image.spacing_mm), resample_labels)
