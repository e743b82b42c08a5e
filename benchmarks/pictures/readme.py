"""Draw docs/pictures/overview.png: a scan, its vertebrae, the heights measured, and rows of the table.

make demo
python benchmarks/pictures/readme.py results/demo/bids results/demo sub-sim0001
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wirbel.core.geometry import MODEL_AXES, Volume, reorient
from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.solids import find_solids
from wirbel.core.measures.spine import Spine
from wirbel.core.measures.vertebrae import SIX_POINT_FRACTIONS
from wirbel.core.pictures.colours import rgb, vertebra_colours
from wirbel.core.pictures.sagittal_views import level_marks, overlay, sagittal_view
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.tabular.tables import read_rows

TARGET = Path(__file__).parents[2] / "docs" / "pictures" / "overview.png"
HEIGHT, GAP, FONT = 620, 12, 14
SHOWN = ("L1", "L2", "L3")
COLUMNS = ("participant_id", "level", *(f"height_{part}_mm" for part in SIX_POINT_FRACTIONS))
COLUMNS += ("body_volume_mm3",)
YELLOW, TEXT, BACKGROUND = "#ffd800", "#eef0f3", "#181a1e"
GREY_TO_SPINE_MM = 60.0
"""How much is kept in front of the spine; `sagittal_view` keeps more."""


def main() -> None:
    """Read one scan's results and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bids_dir", type=Path)
    parser.add_argument("output_dir", type=Path)
    parser.add_argument("participant")
    parser.add_argument("--to", type=Path, default=TARGET)
    args = parser.parse_args()
    scan, maps = read(args.bids_dir, args.output_dir, args.participant)
    rows = read_rows(args.output_dir / "cohort" / "vertebrae.csv")
    rows = [r for r in rows if r["participant_id"] == args.participant and r["level"] in SHOWN]
    panels = [*whole(scan, maps), closer(scan, maps)]
    picture = beside(panels)
    picture = above(picture, table(rows, picture.width))
    picture.quantize(256, Image.Quantize.MAXCOVERAGE).save(args.to, optimize=True)


def read(bids_dir: Path, output_dir: Path, participant: str) -> tuple[Volume, list[Volume]]:
    """Return a scan and its two final maps."""
    stem = f"{participant}/anat/{participant}"
    names = [f"{stem}_desc-{kind}_dseg.nii.gz" for kind in ("subregion", "vertebra")]
    scan = read_volume(bids_dir / f"{stem}_T2w.nii.gz")
    return scan, [read_volume(output_dir / name) for name in names]


def whole(scan: Volume, maps: list[Volume]) -> list[Image.Image]:
    """Return the curved sagittal view, plain and with coloured vertebrae and their names."""
    extent = reorient(scan).data.shape[1] * reorient(scan).spacing_mm[1]
    view = sagittal_view(scan, *maps, extent / HEIGHT)
    colours = {label: rgb(colour) for label, colour in vertebra_colours().items()}
    left = max(0, np.flatnonzero(view.subregion.any(0))[0] - int(GREY_TO_SPINE_MM / view.pixel_mm))
    plain = np.repeat(view.image[..., None], 3, axis=2)[:, left:]
    labelled = Image.fromarray(overlay(view.image, view.vertebra, colours)[:, left:])
    pen = ImageDraw.Draw(labelled)
    for _, level, row in level_marks(view):
        pen.text((6, row), level, TEXT, ImageFont.load_default(FONT - 2), anchor="lm")
    return [Image.fromarray(plain), labelled]


def closer(scan: Volume, maps: list[Volume]) -> Image.Image:
    """Return the mid-sagittal slice around a few vertebrae with the three heights of each body."""
    image = reorient(scan, MODEL_AXES)
    label_maps = LabelMaps(*maps)
    solids = find_solids(label_maps, Spine(label_maps))
    bodies = [solids[LEVEL_LABELS[level]] for level in SHOWN]
    centres = np.array([solid.block.frame.origin_mm for solid in bodies])
    index = image.grid.to_index(centres)
    section = np.asarray(image.data[:, :, round(index[:, 2].mean())], float)
    mm = image.spacing_mm[:2]
    half = np.array([45.0, 40.0 + np.ptp(index[:, 1]) * mm[1] / 2])
    low = np.clip((index[:, :2].min(0) + index[:, :2].max(0)) / 2 - half / mm, 0, None)
    size = np.array([int(HEIGHT * half[0] / half[1]), HEIGHT])
    box = (low[1], low[0], *(low + 2 * half / mm)[::-1])
    grey = np.clip(255 * section / np.percentile(section, 99.5), 0, 255).astype(np.uint8)
    # rows of the section run to the back, so it is turned to show the patient upright
    piece = Image.fromarray(grey).resize(tuple(size[::-1]), Image.Resampling.BICUBIC, box)
    panel = piece.transpose(Image.Transpose.TRANSPOSE).convert("RGB")
    pen = ImageDraw.Draw(panel)
    scale = size / (2 * half / mm)

    def at(point_mm: np.ndarray) -> tuple[float, float]:
        return tuple((image.grid.to_index(point_mm)[:2] + 0.5 - low) * scale)

    for solid in bodies:
        for ends in heights(solid):
            pen.line([at(end) for end in ends], YELLOW, 3)
            for x, y in map(at, ends):
                pen.ellipse((x - 4, y - 4, x + 4, y + 4), YELLOW)
    return panel


def heights(solid) -> list[list[np.ndarray]]:
    """Return the ends, world mm, of a body's anterior, middle and posterior height."""
    block, found = solid.block, []
    for fraction in SIX_POINT_FRACTIONS.values():
        anterior = block.back_mm + fraction * block.depth_mm
        ends = [np.array([0, anterior, block.surface_at(fraction, side)]) for side in (1, -1)]
        found.append([block.frame.to_world(end) for end in ends])
    return found


def table(rows: list[dict[str, str]], width: int) -> Image.Image:
    """Return the rows as a picture of text."""
    font, line = ImageFont.load_default(FONT), FONT + 10
    picture = Image.new("RGB", (width, line * (len(rows) + 1) + GAP), BACKGROUND)
    pen = ImageDraw.Draw(picture)
    needed = np.array([font.getlength(name) for name in COLUMNS])
    between = (width - 2 * GAP - needed.sum()) / (len(COLUMNS) - 1)
    places = GAP + np.concatenate([[0], np.cumsum(needed[:-1] + between)])
    for number, cells in enumerate([COLUMNS, *([row[c] for c in COLUMNS] for row in rows)]):
        for place, cell in zip(places, cells, strict=True):
            colour = YELLOW if number and cell.replace(".", "").isdigit() else TEXT
            pen.text((place, number * line + GAP / 2), cell, colour, font)
    return picture


def beside(panels: list[Image.Image]) -> Image.Image:
    """Return pictures of one height in a row."""
    width = sum(panel.width for panel in panels) + GAP * (len(panels) + 1)
    picture = Image.new("RGB", (width, HEIGHT + 2 * GAP), BACKGROUND)
    left = GAP
    for panel in panels:
        picture.paste(panel, (left, GAP))
        left += panel.width + GAP
    return picture


def above(top: Image.Image, bottom: Image.Image) -> Image.Image:
    """Return one picture over another of the same width."""
    picture = Image.new("RGB", (top.width, top.height + bottom.height), BACKGROUND)
    picture.paste(top, (0, 0))
    picture.paste(bottom, (0, top.height))
    return picture


if __name__ == "__main__":
    main()
