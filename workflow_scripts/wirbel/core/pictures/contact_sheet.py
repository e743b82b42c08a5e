"""The contact sheet: many scans at a glance in one picture, drawn with Pillow."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wirbel.core.labels import SUBREGION_NAMES
from wirbel.core.pictures.colours import rgb, subregion_colours, vertebra_colours
from wirbel.core.pictures.sagittal_views import View, level_marks, overlay

SHEET_WIDTH = 2400
PANEL_HEIGHT = 560
"""Pixels of the tallest panel; a whole spine of 560 mm then has 1 mm per pixel, and three scans fill a row."""
PANEL_WIDTH = 359
"""Pixels of the widest panel; two scans of the lower back, which are about as wide as high, then fill a row."""
FINEST_PIXEL_MM = 0.3
"""Short fields of view are not enlarged beyond this."""
NARROWEST = 1000
"""Width at which title and legend stay readable on a sheet of one scan."""
GAP, PADDING, GUTTER = 4, 18, 50
BACKGROUND, CARD, TEXT, FAINT = (24, 26, 30), (36, 39, 45), (238, 240, 243), (160, 166, 176)
ALARM = rgb("#e69f00")
FAILED_CARD_WIDTH = 470
SIZES = {"title": 26, "head": 18, "text": 14, "level": 13}


@dataclass(frozen=True)
class Entry:
    """One successful scan: its view, a line about its levels, and whether that line is a warning."""

    scan_id: str
    view: View
    caption: str
    warning: bool = False


@dataclass(frozen=True)
class Failure:
    """One scan that failed."""

    scan_id: str
    reason: str
    detail: str


def pixel_size_mm(height_mm: float, width_mm: float) -> float:
    """Return the pixel size at which a view of this height and width fills a panel without leaving it."""
    return max(height_mm / PANEL_HEIGHT, width_mm / PANEL_WIDTH, FINEST_PIXEL_MM)


def draw_sheet(
    title: str,
    subtitle: str,
    entries: list[Entry],
    failures: list[Failure],
    more_failures: int = 0,
    banner: str = "",
) -> Image.Image:
    """Return the sheet: title, warning (`banner`), legend, scans in rows, failures with reasons.

    Parameters
    ----------
    title, subtitle : str
        Above the scans.
    entries : list of Entry
        Scans with their pictures.
    failures : list of Failure
        Scans that failed.
    more_failures : int, default 0
        How many are not listed.
    banner : str, optional
        A warning.

    Returns
    -------
    PIL.Image.Image
    """
    cells = [draw_entry(entry) for entry in entries]
    rows = _in_rows(cells)
    cards = _in_rows([draw_failure(failure) for failure in failures])
    present = sorted({int(label) for e in entries for label in np.unique(e.view.subregion)} - {0})
    width = max([NARROWEST, *(_width(row) for row in (*rows, *cards))])
    warning = [_banner(banner, width)] if banner else []
    blocks = [_header(title, subtitle), *warning, _legend(present, width), *map(_row, rows)]
    if failures:
        blocks += [_section("Scans that failed"), *map(_row, cards)]
    if more_failures:
        blocks.append(_section(f"and {more_failures} more: see cohort/failures.csv", "text"))
    return _stack(blocks).crop((0, 0, width, sum(b.height for b in blocks)))


def draw_entry(entry: Entry) -> Image.Image:
    """Return one scan: image, subregions and vertebrae side by side, level names beside the last."""
    view = entry.view
    plain = np.repeat(view.image[..., None], 3, axis=2)
    panels = [
        plain,
        overlay(view.image, view.subregion, _as_rgb(subregion_colours())),
        overlay(view.image, view.vertebra, _as_rgb(vertebra_colours())),
    ]
    height, width = view.image.shape
    inner = 3 * width + 2 * GAP + GUTTER
    caption = _wrapped(entry.caption, inner)
    top = 34 + 18 * len(caption)
    cell = Image.new("RGB", (inner + 2 * PADDING, height + top + 2 * PADDING), CARD)
    pen = ImageDraw.Draw(cell)
    pen.text((PADDING, PADDING - 4), entry.scan_id, TEXT, _font("head"))
    for i, line in enumerate(caption):
        colour = ALARM if entry.warning else FAINT
        pen.text((PADDING, PADDING + 22 + 18 * i), line, colour, _font("text"))
    for i, panel in enumerate(panels):
        cell.paste(Image.fromarray(panel), (PADDING + i * (width + GAP), PADDING + top))
    _write_levels(pen, view, PADDING + 3 * width + 2 * GAP + 6, PADDING + top)
    return cell


def draw_failure(failure: Failure) -> Image.Image:
    """Return the card of a scan that failed."""
    lines = _wrapped(failure.detail, FAILED_CARD_WIDTH - 2 * PADDING - 8)
    card = Image.new("RGB", (FAILED_CARD_WIDTH, 2 * PADDING + 50 + 18 * len(lines)), CARD)
    pen = ImageDraw.Draw(card)
    pen.rectangle((0, 0, 5, card.height), ALARM)
    left = PADDING + 4
    pen.text((left, PADDING - 4), failure.scan_id, TEXT, _font("head"))
    pen.text((left, PADDING + 22), failure.reason.replace("_", " "), ALARM, _font("text"))
    for i, line in enumerate(lines):
        pen.text((left, PADDING + 44 + 18 * i), line, FAINT, _font("text"))
    return card


def _write_levels(pen: ImageDraw.ImageDraw, view: View, left: int, top: int) -> None:
    """Write the level names beside their vertebrae, moved apart if they would overlap."""
    colours, lowest = vertebra_colours(), -np.inf
    for label, level, row in level_marks(view):
        lowest = max(row, lowest + SIZES["level"])
        middle = top + lowest
        pen.rectangle((left, middle - 4, left + 7, middle + 4), rgb(colours[label]))
        pen.text((left + 13, middle), level, TEXT, _font("level"), anchor="lm")


def _header(title: str, subtitle: str) -> Image.Image:
    block = Image.new("RGB", (SHEET_WIDTH, 84), BACKGROUND)
    pen = ImageDraw.Draw(block)
    pen.text((PADDING, 18), title, TEXT, _font("title"))
    pen.text((PADDING, 54), subtitle, FAINT, _font("text"))
    return block


def _banner(words: str, sheet_width: int) -> Image.Image:
    """Return a strip in the warning colour, as wide as the sheet."""
    lines = _wrapped(words, sheet_width - 2 * PADDING)
    block = Image.new("RGB", (SHEET_WIDTH, 24 + 18 * len(lines)), ALARM)
    pen = ImageDraw.Draw(block)
    for i, line in enumerate(lines):
        pen.text((PADDING, 10 + 18 * i), line, BACKGROUND, _font("text"))
    return block


def _section(words: str, size: str = "head") -> Image.Image:
    block = Image.new("RGB", (SHEET_WIDTH, 44), BACKGROUND)
    ImageDraw.Draw(block).text((PADDING, 16), words, TEXT, _font(size))
    return block


def _legend(present: list[int], sheet_width: int) -> Image.Image:
    """Return the names of the visible subregions with their colours."""
    font, left, top = _font("text"), PADDING, 6
    block = Image.new("RGB", (SHEET_WIDTH, 160), BACKGROUND)
    pen = ImageDraw.Draw(block)
    for label in present:
        colour = subregion_colours()[label]
        name = SUBREGION_NAMES[label].replace("_", " ")
        width = 20 + int(font.getlength(name)) + 22
        if left + width > sheet_width - PADDING:
            left, top = PADDING, top + 24
        pen.rectangle((left, top + 2, left + 13, top + 15), rgb(colour))
        pen.text((left + 20, top), name, FAINT, font)
        left += width
    return block.crop((0, 0, SHEET_WIDTH, top + 30))


def _in_rows(cells: list[Image.Image]) -> list[list[Image.Image]]:
    """Break cells into rows that fit the sheet's width."""
    rows: list[list[Image.Image]] = []
    used = SHEET_WIDTH
    for cell in cells:
        if used + cell.width + PADDING > SHEET_WIDTH - PADDING:
            rows.append([])
            used = 0
        rows[-1].append(cell)
        used += cell.width + PADDING
    return rows


def _width(cells: list[Image.Image]) -> int:
    return PADDING + sum(cell.width + PADDING for cell in cells)


def _row(cells: list[Image.Image]) -> Image.Image:
    block = Image.new("RGB", (SHEET_WIDTH, max(c.height for c in cells) + PADDING), BACKGROUND)
    left = PADDING
    for cell in cells:
        block.paste(cell, (left, 0))
        left += cell.width + PADDING
    return block


def _stack(blocks: list[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (SHEET_WIDTH, sum(block.height for block in blocks)), BACKGROUND)
    top = 0
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    return sheet


def _wrapped(words: str, width: int) -> list[str]:
    """Break a sentence into lines of about `width` pixels."""
    letter = _font("text").getlength("n")
    return textwrap.wrap(words, max(8, int(width / letter)))


def _as_rgb(colours: dict[int, str]) -> dict[int, tuple[int, int, int]]:
    return {label: rgb(colour) for label, colour in colours.items()}


def _font(size: str) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(SIZES[size])
