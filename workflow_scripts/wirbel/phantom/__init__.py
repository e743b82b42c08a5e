"""A parametric whole-spine phantom: image, label maps and the analytic truth of every measure.

    phantom = make_phantom(seed=7, region="lumbar")

The same seed and options always give the same arrays. Randomness is sampled in `anatomy`,
`surroundings`, `contrast` and `acquisition`; `raster` and `scanner` only apply what was sampled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wirbel.core.geometry import Grid, Volume, grid_with_spacing, reorient
from wirbel.phantom.imaging.acquisition import REGIONS, Acquisition, sample_acquisition
from wirbel.phantom.imaging.contrast import sample_contrast
from wirbel.phantom.imaging.raster import rasterise
from wirbel.phantom.imaging.scanner import fine_grid, image_tissues
from wirbel.phantom.imaging.water_contrast import sample_water_contrast
from wirbel.phantom.person.anatomy import Anatomy, sample_anatomy
from wirbel.phantom.person.spinous_shapes import with_spinous_shapes
from wirbel.phantom.person.surroundings import Habitus, draw_surroundings, sample_habitus
from wirbel.phantom.true_values.truth import truth_tables

Spacing = tuple[float, float, float]
__all__ = ["REGIONS", "Phantom", "make_phantom"]


@dataclass(frozen=True)
class Phantom:
    """One simulated scan; all volumes in scanner RAS mm.

    Attributes
    ----------
    seed : int
        What it was made from.
    image, subregion, vertebra : Volume
        Scan and label maps, in one storage order.
    truth : dict or None
        True measures; see `truth_tables`. None if they were not requested.
    anatomy : Anatomy
        The person's spine.
    habitus : Habitus
        The person's soft body.
    acquisition : Acquisition
        How the scan was taken.
    model_subregion, model_vertebra : Volume or None
        Label maps on the P-I-R model grid that resampling the image gives, if a spacing was
        requested.
    """

    seed: int
    image: Volume
    subregion: Volume
    vertebra: Volume
    truth: dict | None
    anatomy: Anatomy
    habitus: Habitus
    acquisition: Acquisition
    model_subregion: Volume | None = None
    model_vertebra: Volume | None = None


def make_phantom(
    seed: int,
    region: str | None = None,
    *,
    in_plane_mm: float | None = None,
    slice_mm: float | None = None,
    axes: tuple[str, str, str] | None = None,
    with_truth: bool = True,
    beyond_scanners: bool = False,
    water_image: bool = False,
    model_grid_spacing_mm: Spacing | Callable[[Spacing], Spacing] | None = None,
) -> Phantom:
    """Simulate the scan of one person.

    Parameters
    ----------
    seed : int
        Decides everything that is not given.
    region : str, optional
        One of `REGIONS`. Default: sampled.
    in_plane_mm, slice_mm : float, optional
        Voxel size. Default: sampled.
    axes : tuple of three str, optional
        Storage order such as ("L", "A", "S"). Default: sampled.
    with_truth : bool
        Compute the true measures, which takes seconds.
    beyond_scanners : bool
        Widen contrasts and forms of spinous processes for training.
    water_image : bool
        Contrast of a Dixon gradient echo's water image instead of a T2w turbo spin echo's.
    model_grid_spacing_mm : tuple of three float or callable, optional
        Voxel size of the model grid along (P, I, R), or a function that returns it for the scan's
        own.

    Raises
    ------
    ValueError
        If the region is unknown.
    """
    rng = np.random.default_rng([seed, 20261])
    anatomy = sample_anatomy(rng)
    if beyond_scanners:
        anatomy = with_spinous_shapes(np.random.default_rng([seed, 20262]), anatomy)
    habitus = sample_habitus(rng, anatomy)
    if water_image:
        contrast = sample_water_contrast(rng, anatomy)
    else:
        contrast = sample_contrast(rng, anatomy, beyond_scanners)
    acquisition = sample_acquisition(rng, anatomy, region, in_plane_mm, slice_mm)
    fine = fine_grid(acquisition)
    background = draw_surroundings(anatomy, habitus, fine)
    tissue = rasterise(anatomy, fine, background).tissue
    image = image_tissues(tissue, contrast, acquisition)
    labels = rasterise(anatomy, acquisition.grid)
    affine = acquisition.world @ acquisition.grid.affine
    axes = axes or acquisition.axes
    model = _model_labels(anatomy, acquisition, model_grid_spacing_mm)
    return Phantom(
        seed=seed,
        image=reorient(Volume(image, affine), axes),
        subregion=reorient(Volume(labels.subregion, affine), axes),
        vertebra=reorient(Volume(labels.vertebra, affine), axes),
        truth=truth_tables(anatomy, acquisition, contrast) if with_truth else None,
        anatomy=anatomy,
        habitus=habitus,
        acquisition=acquisition,
        model_subregion=model[0],
        model_vertebra=model[1],
    )


def _model_labels(anatomy, acquisition, spacing_mm) -> tuple[Volume | None, Volume | None]:
    if spacing_mm is None:
        return None, None
    if callable(spacing_mm):
        spacing_mm = spacing_mm(tuple(np.round(acquisition.grid.spacing_mm, 4)))
    world = Grid(acquisition.grid.shape, acquisition.world @ acquisition.grid.affine)
    target = grid_with_spacing(world, spacing_mm)
    inside = Grid(target.shape, np.linalg.inv(acquisition.world) @ target.affine)
    canvas = rasterise(anatomy, inside)
    return Volume(canvas.subregion, target.affine), Volume(canvas.vertebra, target.affine)
