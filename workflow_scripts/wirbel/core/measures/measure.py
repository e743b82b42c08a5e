"""All measurements of one scan."""

from __future__ import annotations

from dataclasses import dataclass, field

from wirbel.core.geometry import Volume
from wirbel.core.measures.cord.centreline import find_centreline
from wirbel.core.measures.cord.compression import compression_columns
from wirbel.core.measures.cord.conus import conus_columns
from wirbel.core.measures.cord.narrowest import canal_profile, cord_profile
from wirbel.core.measures.coverage.completeness import add_complete
from wirbel.core.measures.coverage.contiguity import Contiguity
from wirbel.core.measures.coverage.counts import cut_labels
from wirbel.core.measures.curvature.alignment import mean_right, spine_frame
from wirbel.core.measures.curvature.landmarks import cobb_landmarks, solid_landmarks
from wirbel.core.measures.discs import disc_rows
from wirbel.core.measures.fractures.grades import deformity_columns
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.levels import level_rows
from wirbel.core.measures.quality.columns import quality_columns, quality_flags
from wirbel.core.measures.scans import scan_row
from wirbel.core.measures.shape.joint import largest_slip_columns, stenosis_columns
from wirbel.core.measures.shape.solids import find_solids
from wirbel.core.measures.shape.widths import partly_seen
from wirbel.core.measures.signal.coil import add_corrected_ratios
from wirbel.core.measures.signal.discs import add_disc_contrast
from wirbel.core.measures.signal.marrow import add_marrow_heterogeneity, vbq_columns
from wirbel.core.measures.signal.signals import add_signal_ratios, find_fluid, picture_of
from wirbel.core.measures.spine import Spine
from wirbel.core.measures.vertebrae import vertebra_rows


@dataclass(frozen=True)
class Measurements:
    """Rows of the four tables for one scan, vertebrae and discs from the top down.

    Values are float, int, str or None; a None is explained by the status column that
    `wirbel.core.dictionary` names for its column.
    """

    scan: dict
    vertebrae: list[dict]
    discs: list[dict]
    levels: list[dict]
    landmarks: list[list] = field(default_factory=list)
    """Lines that sizes and angles were taken from, as `Landmark.as_row` gives them."""
    cut: list[int] = field(default_factory=list)
    """Labels of the vertebra map whose body or disc the border cuts above, below, in front or behind."""


def measure(image: Volume | None, subregion: Volume, vertebra: Volume) -> Measurements:
    """Measure a scan from its final label maps, which share one grid of any orientation.

    `image` is the scan itself on the same grid; without it there are no signal ratios. Raises ValueError
    when the grids differ.
    """
    return measure_maps(image, LabelMaps(subregion, vertebra))


def measure_maps(image: Volume | None, maps: LabelMaps) -> Measurements:
    """Do the same with maps whose parts are looked up elsewhere as well."""
    if image is not None and image.data.shape != maps.subregion.data.shape:
        raise ValueError("the image and the label maps do not lie on the same grid")
    spine = Spine(maps)
    solids = find_solids(maps, spine)
    line = find_centreline(spine)
    vertebrae = vertebra_rows(maps, solids)
    order = Contiguity(maps)
    discs = disc_rows(maps, solids, vertebrae, order)
    picture = picture_of(image)
    fluid = find_fluid(picture, maps)
    add_signal_ratios(picture, maps, spine, vertebrae, discs, fluid)
    add_corrected_ratios(picture, maps, spine, vertebrae, discs)
    add_disc_contrast(picture, fluid, maps, solids, discs)
    add_marrow_heterogeneity(picture, maps, vertebrae)
    right = mean_right(solids)
    canal, cord = None, None
    if right is None:  # the border cuts all bodies and discs
        right = spine.rough_right()
    if line is not None and right is not None:
        canal, cord = canal_profile(maps, line, right), cord_profile(maps, line, right)
    marks = solid_landmarks(solids)
    levels = level_rows(maps, spine, line, order, canal, marks, partly_seen(solids))
    add_complete(maps, vertebrae, discs, levels)
    compressed = compression_columns(levels, spine, line, order, cord)
    graded = stenosis_columns(levels, vertebrae)
    for row, *more in zip(levels, compressed, graded, strict=True):
        row |= more[0] | more[1]
    scan = scan_row(maps, solids, line, order)
    scan |= quality_columns(picture, maps.subregion)
    odd = [*(picture.flags if picture else ()), *quality_flags(scan)]
    scan |= {"flags": ";".join(odd)}
    scan |= largest_slip_columns(discs) | deformity_columns(vertebrae)
    scan |= vbq_columns(picture, fluid, maps, solids, vertebrae)
    scan |= conus_columns(maps, spine, line, cord, levels)
    frame = spine_frame(solids)
    marks += cobb_landmarks(solids, frame, scan["cobb_upper_level"], scan["cobb_lower_level"])
    rows = [mark.as_row() for mark in marks]
    return Measurements(scan, vertebrae, discs, levels, rows, cut_labels(maps))
