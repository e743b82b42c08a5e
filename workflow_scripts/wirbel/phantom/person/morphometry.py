"""Average adult dimensions of every presacral vertebra, the starting point of each sampled anatomy.

Sources: Panjabi et al., Spine 1991;16:861-869 (cervical), 1991;16:888-901 (thoracic) and
1992;17:299-306 (lumbar) for bodies, canal, pedicles and processes; Busscher et al., Eur Spine J
2010;19:1104-1114 for the size of living adults' lower bodies and discs; Frostell et al., Front Neurol
2016;7:238 for the cord. Rounded to half millimetres; sex, stature and chance are added when sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LevelMorphometry:
    """Mean dimensions of one level, in mm and degrees. `disc_mm` is the height of the disc below, at
    its rim.
    """

    depth_mm: float
    width_mm: float
    height_mm: float
    anterior_ratio: float
    disc_mm: float
    canal_depth_mm: float
    canal_width_mm: float
    pedicle_width_mm: float
    pedicle_height_mm: float
    transverse_span_mm: float
    spinous_length_mm: float
    spinous_height_mm: float
    spinous_drop_deg: float
    cord_depth_mm: float
    cord_width_mm: float


_COLUMNS = """
     depth width height  ratio disc  cdep cwid  pedw pedh  span spin  sphi drop   cord cwid
C2    16.0  18.0  20.0   1.00   5.0  18.5 24.0   7.5  8.5  50.0 16.0  12.0 20.0   6.8 11.5
C3    16.0  18.5  14.0   1.00   5.0  15.5 23.5   5.5  7.0  50.0 14.0   9.0 25.0   6.8 12.5
C4    16.0  19.0  13.5   0.99   5.0  15.5 24.0   5.0  7.0  50.0 15.0   9.0 27.0   6.8 13.0
C5    16.0  20.0  13.0   0.98   5.2  15.5 24.5   5.5  6.5  51.0 16.0   9.0 27.0   6.8 13.2
C6    16.5  21.5  13.0   0.98   5.2  15.5 25.0   6.0  7.0  52.0 21.0   9.5 27.0   6.5 13.0
C7    17.0  23.5  15.0   0.98   5.0  15.5 24.5   6.5  7.5  60.0 30.0  10.0 28.0   6.2 11.5
T1    17.5  26.0  16.5   0.97   4.5  16.0 21.5   8.0  9.0  72.0 33.0  10.0 32.0   6.0 10.0
T2    18.5  26.0  18.0   0.96   4.2  15.5 19.5   7.0 11.0  68.0 33.0  10.0 38.0   5.8  9.0
T3    20.0  25.5  18.5   0.95   4.0  15.8 18.5   5.5 11.5  62.0 33.0  10.0 44.0   5.8  8.5
T4    21.5  25.5  19.0   0.95   4.0  16.0 17.5   5.0 12.0  60.0 33.0  10.0 50.0   5.8  8.3
T5    23.0  26.5  19.5   0.94   4.0  16.2 17.5   5.0 12.0  60.0 34.0  10.0 54.0   5.8  8.2
T6    24.5  27.5  20.0   0.94   4.2  16.2 17.5   5.2 12.5  60.0 34.0  10.0 56.0   5.8  8.2
T7    26.0  28.5  20.5   0.94   4.5  16.0 17.5   5.5 12.5  60.0 34.0  11.0 56.0   5.8  8.2
T8    27.0  29.5  21.0   0.95   4.7  16.0 17.8   5.8 13.0  59.0 34.0  11.0 53.0   5.8  8.2
T9    28.0  31.0  21.5   0.95   5.0  15.8 18.0   6.2 14.0  57.0 32.0  12.0 47.0   6.0  8.4
T10   28.5  32.5  22.5   0.95   5.2  15.8 18.3   6.5 15.0  54.0 30.0  14.0 38.0   6.2  8.6
T11   29.0  35.5  23.5   0.95   5.5  16.2 19.5   8.0 16.5  49.0 27.0  16.0 26.0   6.5  9.0
T12   29.5  38.5  25.0   0.95   6.0  17.5 22.0   8.5 16.0  48.0 26.0  18.0 16.0   6.8  9.2
L1    30.5  41.5  26.5   0.96   7.0  18.0 23.0   8.0 15.5  70.0 29.0  20.0 10.0   6.0  8.0
L2    31.5  43.0  27.5   0.99   8.0  17.5 23.5   8.5 15.0  76.0 30.0  21.0  8.0   4.0  5.0
L3    32.5  45.0  27.5   1.02   8.8  17.0 24.0  10.0 14.5  84.0 31.0  21.0  7.0   0.0  0.0
L4    33.0  47.0  27.5   1.05   9.2  17.5 25.5  12.5 14.5  82.0 29.0  19.0  7.0   0.0  0.0
L5    33.0  48.5  27.0   1.15   8.5  18.0 27.5  17.0 14.0  88.0 24.0  16.0  8.0   0.0  0.0
"""


def _read_table() -> dict[str, LevelMorphometry]:
    lines = _COLUMNS.strip().splitlines()[1:]
    return {
        words[0]: LevelMorphometry(*map(float, words[1:]))
        for words in (line.split() for line in lines)
    }


MEAN_DIMENSIONS: dict[str, LevelMorphometry] = _read_table()
"""Level name -> mean dimensions, C2 to L5, from the top down."""


def mean_dimensions(level: str) -> LevelMorphometry:
    """Return the mean dimensions of a level; T13 is like T12, L6 like L5."""
    return MEAN_DIMENSIONS[{"T13": "T12", "L6": "L5"}.get(level, level)]


SACRAL_SEGMENTS = np.array(
    # height, depth, width of the median part, width with the wings, degrees tilted further forward than S1
    [
        [28.0, 31.0, 48.0, 100.0, 0.0],
        [24.0, 21.0, 38.0, 92.0, 9.0],
        [20.0, 15.0, 32.0, 74.0, 15.0],
        [17.0, 11.5, 27.0, 56.0, 10.0],
        [15.0, 9.0, 22.0, 42.0, -8.0],
    ]
)
"""S1 to S5 in mm and degrees, rounded proportions of an adult sacrum."""

PITCH_ANCHORS_DEG = {
    "C2": (2.0, 7.0),
    "C5": (8.0, 6.0),
    "T1": (24.0, 6.0),
    "T4": (17.0, 5.0),
    "T8": (2.0, 4.0),
    "T12": (-11.0, 4.0),
    "L2": (-11.0, 4.0),
    "L4": (6.0, 4.0),
    "S1": (36.0, 6.0),
}
"""Forward tilt of a level's superior axis against the vertical, lying supine: mean and spread.

They add up to a thoracic kyphosis near 35, a lumbar lordosis near 45 and a sacral slope near 36 degrees
(Boulay et al., Eur Spine J 2006;15:415-422, less the flattening of the supine position)."""
