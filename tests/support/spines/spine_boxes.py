"""A spine made of boxes: label maps whose right answer can be read off the list of vertebrae."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.instances.cutouts import cut_out
from wirbel.core.instances.predicted_vertebrae import ABOVE, BELOW, CENTRE, Predictions
from wirbel.core.labels import (
    ARCUS,
    BODY_BORDER,
    CANAL,
    CORD,
    COSTAL_LEFT,
    COSTAL_RIGHT,
    DISC,
    ENDPLATE,
    SACRUM,
    SPINOUS_PROCESS,
)

SPACING_MM = (1.0, 1.0, 3.0)
# Model grid P-I-R: index 0 grows towards posterior (-y), 1 towards inferior (-z), 2 towards right (+x).
AFFINE = np.array([[0, 0, 3, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
FRONT, LEFT_RIGHT = 30, 16
CONUS = 20
"""The cord ends with L1."""
CANAL_MM = 14
"""From front to back."""
COSTAL_MM = {"C": -8, "T": 12, "L": 4}
"""How far the costal processes lie behind the canal's middle: beside the body, swept back, straight to the sides."""

# Label -> depth, width, height of the body in mm: means of adults (Panjabi et al. 1991 and 1992), rounded.
SIZES = {
    2: (16, 18, 38), **dict.fromkeys((3, 4, 5, 6, 7), (16, 18, 14)),
    **{n: (19 + n - 8, 26 + max(0, n - 13) * 2, 15 + (n - 8) * 9 // 11) for n in range(8, 20)},
    **dict.fromkeys((*range(20, 26), 28), (34, 45, 26)),
}  # fmt: skip


@dataclass
class BoxSpine:
    """Subregion map, vertebra map with the true labels, and the true body centres (n, 3) in world mm."""

    labels: Volume
    vertebra: np.ndarray
    centre_mm: np.ndarray
    numbers: tuple[int, ...]


def box_spine(
    numbers: range | tuple[int, ...] = range(20, 25),
    *,
    sacrum: bool = True,
    top_margin: int = 12,
    bottom_margin: int = 12,
    cord: bool = True,
    endplates: bool = True,
) -> BoxSpine:
    """Stack the vertebrae `numbers` from the top down; a sacrum follows when asked for."""
    numbers = tuple(numbers)
    heights = [SIZES[n][2] for n in numbers]
    discs = [disc_height(n) for n in numbers]
    length = top_margin + sum(heights) + sum(discs) + (40 if sacrum else 0) + bottom_margin
    data = np.zeros((150, length, 2 * LEFT_RIGHT), np.uint8)
    vertebra = np.zeros_like(data)
    back = FRONT + max(SIZES[n][0] for n in numbers)
    canal = slice(back + 1, back + 1 + CANAL_MM)
    row, centres, ends = top_margin, [], {}
    for number, height, disc in zip(numbers, heights, discs, strict=True):
        depth, width, _ = SIZES[number]
        end = row + height
        begin = row
        if number == 2:
            dens = _block(depth // 2 + 2, 10, row, row + 20, first=4)
            _paint(data, vertebra, dens, BODY_BORDER, number)
            begin = row + 20
        body = _block(depth, width, begin, end)
        _paint(data, vertebra, body, BODY_BORDER, number)
        centres.append(np.argwhere(vertebra == number).mean(0))
        _posterior(data, vertebra, number, begin, end, depth)
        _costal(data, vertebra, number, begin, end, back + 1 + CANAL_MM // 2)
        if number != numbers[-1] or sacrum:
            _paint(data, vertebra, _block(depth, width, end, end + disc), DISC, 100 + number)
            if endplates:
                _paint(data, vertebra, _block(depth, width, end, end + 1), ENDPLATE, 200 + number)
                plate = _block(depth, width, end + disc - 1, end + disc)
                _paint(data, vertebra, plate, ENDPLATE, 200 + number)
        row, ends[number] = end + disc, end
    if sacrum:
        _paint(data, vertebra, _block(34, 45, row, row + 40), SACRUM, SACRUM)
    data[canal, :, LEFT_RIGHT - 3 : LEFT_RIGHT + 3] = CANAL
    if cord:
        end = ends.get(CONUS, 0 if numbers[0] > CONUS else length)
        data[back + 4 : back + 11, :end, LEFT_RIGHT - 1 : LEFT_RIGHT + 1] = CORD
    volume = Volume(data, AFFINE)
    return BoxSpine(volume, vertebra, volume.grid.to_world(np.array(centres)), numbers)


def disc_height(number: int) -> int:
    """Return the height of the disc below a vertebra in mm: cervical and thoracic 5, lumbar 10."""
    return 10 if number >= 20 else 5


def counters(spine: BoxSpine) -> np.ndarray:
    """Return the vertebrae alone, numbered 1 ... n from the top down."""
    lookup = np.zeros(256, np.uint8)
    lookup[list(spine.numbers)] = np.arange(1, len(spine.numbers) + 1)
    return lookup[spine.vertebra]


def oracle(
    labels: Volume, vertebra: np.ndarray, centre_mm: np.ndarray, size=(120, 130, 32)
) -> Predictions:
    """Return what a perfect instance network says for each centre, given the true vertebrae 1 ... n."""
    blocks, origins = [], []
    for centre in centre_mm:
        index = labels.grid.to_index(centre)
        block, origin = cut_out(vertebra, index, size)
        number = int(vertebra[tuple(np.round(index).astype(int))])
        out = np.zeros_like(block)
        for role, offset in ((ABOVE, -1), (CENTRE, 0), (BELOW, 1)):
            if number + offset > 0:
                out[block == number + offset] = role
        blocks.append(out)
        origins.append(origin)
    return Predictions(np.array(blocks), np.array(origins), np.asarray(centre_mm))


def _posterior(data, vertebra, number, begin, end, depth):
    """Arch and spinous process, one piece with the body by two pedicles."""
    back = FRONT + depth
    far = FRONT + 34 + 16
    middle = (begin + end) // 2
    for side in (-1, 1):
        column = LEFT_RIGHT + (3 if side > 0 else -4)
        box = (slice(back, far + 3), slice(begin + 2, middle + 2), slice(column, column + 1))
        _paint(data, vertebra, box, ARCUS, number)
    arch = (
        slice(far, far + 4),
        slice(begin + 2, middle + 2),
        slice(LEFT_RIGHT - 4, LEFT_RIGHT + 4),
    )
    _paint(data, vertebra, arch, ARCUS, number)
    spine = (slice(far + 4, far + 24), slice(begin + 4, end), slice(LEFT_RIGHT - 1, LEFT_RIGHT + 1))
    _paint(data, vertebra, spine, SPINOUS_PROCESS, number)


def _costal(data, vertebra, number, begin, end, canal_middle):
    """Both costal (transverse) processes, from the pedicles to the sides; those of the last two thoracic are short."""
    region = "C" if number < 8 else "L" if 20 <= number <= 25 else "T"
    at = canal_middle + COSTAL_MM[region]
    length = {"C": 4, "T": 4 if number in (18, 19) else 6, "L": 9}[region]
    for first, label in ((LEFT_RIGHT - 4 - length, COSTAL_LEFT), (LEFT_RIGHT + 4, COSTAL_RIGHT)):
        rows = slice(begin + 3, (begin + end) // 2)
        box = (slice(at - 2, at + 3), rows, slice(first, first + length))
        _paint(data, vertebra, box, label, number)


def _block(depth, width, begin, end, *, first=0):
    half = max(1, round(width / SPACING_MM[2] / 2))
    return (
        slice(FRONT + first, FRONT + depth),
        slice(begin, end),
        slice(LEFT_RIGHT - half, LEFT_RIGHT + half),
    )


def _paint(data, vertebra, box, label, number):
    data[box] = label
    vertebra[box] = number
