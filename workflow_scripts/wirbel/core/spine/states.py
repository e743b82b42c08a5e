"""The levels that a vertebral body can have, how large it is there, and which level follows which.

Everything is an array over `STATES`, from the top of the spine down: C2 ... C7, T1 ... T13, L1 ... L6, and the upper
three segments of the sacrum, which networks at times call bodies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from wirbel.core.labels import LEVEL_LABELS, SACRUM

SEGMENTS = ("S1", "S2", "S3")
STATES: tuple[str, ...] = (
    *(f"C{n}" for n in range(2, 8)),
    *(f"T{n}" for n in range(1, 14)),
    *(f"L{n}" for n in range(1, 7)),
    *SEGMENTS,
)
LABELS = np.array([SACRUM if name in SEGMENTS else LEVEL_LABELS[name] for name in STATES])
"""Vertebra label of every state."""
SACRAL = np.array([name in SEGMENTS for name in STATES])

# Body: depth and width (mean of both endplates), height at the back. Disc: height below the body. Means of adults:
# Panjabi et al., Spine 1991;16:861 (cervical), 1991;16:888 (thoracic), 1992;17:299 (lumbar; 12 dried spines, hence
# rather small), with Busscher et al., Eur Spine J 2010;19:1104 (lower bodies and discs of adults), Gilad and Nissan,
# Spine 1986;11:154 (cervical and lumbar discs) and Yousuf et al. 2022 (C2 with its dens). T13 is like T12, L6 like L5.
_SIZES_MM = """
C2  15.8 17.8 38.0 5.0    C3  15.7 17.5 12.8 5.0    C4  15.8 18.0 12.5 5.0    C5  16.3 19.2 12.2 5.2
C6  17.0 20.9 12.0 5.2    C7  17.3 23.0 13.9 5.0    T1  18.3 26.1 15.3 4.5    T2  19.6 26.1 16.8 4.2
T3  21.5 25.4 17.1 4.0    T4  22.7 25.4 17.6 4.0    T5  24.1 26.3 17.9 4.0    T6  25.5 27.4 18.7 4.2
T7  27.0 28.5 19.4 4.5    T8  27.9 29.8 19.9 4.7    T9  29.1 31.4 20.4 5.0    T10 29.8 33.1 21.4 5.2
T11 30.5 36.3 22.4 5.5    T12 31.3 39.6 23.9 6.0    T13 31.3 39.6 23.9 6.0    L1  32.6 41.9 25.2 7.0
L2  33.2 43.6 25.9 8.0    L3  33.8 45.6 25.7 9.0    L4  33.9 47.6 25.8 10.0   L5  33.5 48.5 25.0 9.0
L6  33.5 48.5 25.0 8.0    S1  29.0 46.0 27.0 3.0    S2  20.0 38.0 22.0 2.0    S3  15.0 32.0 19.0 1.0
"""
_ROWS = {
    words[0]: [float(word) for word in words[1:]]
    for words in np.array(_SIZES_MM.split()).reshape(-1, 5).tolist()
}
DEPTH_MM, WIDTH_MM, HEIGHT_MM, DISC_MM = np.array([_ROWS[name] for name in STATES]).T

VARIANTS = {
    ("T11", "L1"): 0.015,
    ("T12", "T13"): 0.015,
    ("L4", "S1"): 0.04,
    ("L5", "L6"): 0.045,
}
"""How often a level is followed by another than the usual one: eleven or thirteen thoracic vertebrae in 1 to 2 %, four
or six lumbar ones in about 4 % each (Konin and Walz, AJNR 2010;31:1778; Thawait et al., Radiol Clin North Am
2012;50:587)."""
_USUAL = {"T12": "L1", "L5": "S1"}


def next_states() -> np.ndarray:
    """Return the probability (n, n) that state j is the next below state i in a person."""
    out = np.zeros((len(STATES), len(STATES)))
    for i, name in enumerate(STATES[:-1]):
        out[i, STATES.index(_USUAL.get(name, STATES[i + 1]))] = 1.0
    for (upper, lower), share in VARIANTS.items():
        i = STATES.index(upper)
        out[i] *= 1 - share
        out[i, STATES.index(lower)] = share
    return out


def present() -> np.ndarray:
    """Return the probability (n,) that a person has each level."""
    follows, out = next_states(), np.zeros(len(STATES))
    out[0] = 1.0
    for i in range(1, len(STATES)):
        out[i] = out[:i] @ follows[:i, i]
    return out


@dataclass(frozen=True)
class Steps:
    """What lies between a body at level i and the next body that is seen, at level j; `missing` levels between.

    All (k,): `upper` and `lower` states, `missing` count, `log_prior`, `space_mm` from the upper body's lower to the
    lower body's upper surface in an average adult.
    """

    upper: np.ndarray
    lower: np.ndarray
    missing: np.ndarray
    log_prior: np.ndarray
    space_mm: np.ndarray


@cache
def steps(most_missing: int, log_missing: float, log_further: float) -> Steps:
    """Return all steps with up to `most_missing` levels between.

    A first missing level costs `log_missing`, every further one `log_further`.
    """
    follows = next_states()
    rows = [(i, i, 0, 0.0, DISC_MM[i]) for i in range(len(STATES))]
    found = []
    for missing in range(most_missing + 1):
        ahead = [
            (start, int(j), missing, log + np.log(follows[at, j]), space)
            for start, at, _, log, space in rows
            for j in np.flatnonzero(follows[at])
        ]
        found += ahead
        cost = log_missing if missing == 0 else log_further
        rows = [
            (start, at, missing + 1, log + cost, space + HEIGHT_MM[at] + DISC_MM[at])
            for start, at, _, log, space in ahead
        ]
    # Two ways between the same levels differ in what is missing between; the likelier one stands for both.
    best: dict[tuple[int, int, int], tuple] = {}
    for row in found:
        key = row[:3]
        if key not in best or row[3] > best[key][3]:
            best[key] = row
    return Steps(*(np.array(column) for column in zip(*best.values(), strict=True)))
