"""How large a vertebral body is at each level in an average adult, and how high the disc below it: the one table.

Body: depth and width (mean of both endplates), height at the back. Panjabi et al., Spine 1991;16:861 (cervical),
1991;16:888 (thoracic), 1992;17:299 (lumbar; 12 dried spines, hence rather small), with Busscher et al., Eur Spine J
2010;19:1104 (lower bodies and discs of adults), Gilad and Nissan, Spine 1986;11:154 (cervical and lumbar discs) and
Yousuf et al., Int J Res Med Sci 2023 (C2 with its dens). T13 is taken like T12, L6 like L5, C1 like C3.
"""

from __future__ import annotations

from typing import NamedTuple


class LevelMeans(NamedTuple):
    """Depth, width and height of a body, and height of the disc below it, in mm."""

    depth_mm: float
    width_mm: float
    height_mm: float
    disc_mm: float


_TABLE = """
C2  15.8 17.8 38.0 5.0    C3  15.7 17.5 12.8 5.0    C4  15.8 18.0 12.5 5.0    C5  16.3 19.2 12.2 5.2
C6  17.0 20.9 12.0 5.2    C7  17.3 23.0 13.9 5.0    T1  18.3 26.1 15.3 4.5    T2  19.6 26.1 16.8 4.2
T3  21.5 25.4 17.1 4.0    T4  22.7 25.4 17.6 4.0    T5  24.1 26.3 17.9 4.0    T6  25.5 27.4 18.7 4.2
T7  27.0 28.5 19.4 4.5    T8  27.9 29.8 19.9 4.7    T9  29.1 31.4 20.4 5.0    T10 29.8 33.1 21.4 5.2
T11 30.5 36.3 22.4 5.5    T12 31.3 39.6 23.9 6.0    T13 31.3 39.6 23.9 6.0    L1  32.6 41.9 25.2 7.0
L2  33.2 43.6 25.9 8.0    L3  33.8 45.6 25.7 9.0    L4  33.9 47.6 25.8 10.0   L5  33.5 48.5 25.0 9.0
L6  33.5 48.5 25.0 8.0    S1  29.0 46.0 27.0 3.0    S2  20.0 38.0 22.0 2.0    S3  15.0 32.0 19.0 1.0
"""
_WORDS = _TABLE.split()
MEANS: dict[str, LevelMeans] = {
    _WORDS[i]: LevelMeans(*map(float, _WORDS[i + 1 : i + 5])) for i in range(0, len(_WORDS), 5)
}
"""Level -> means, C2 to L6 with T13, and the upper three segments of the sacrum."""
