"""The calibration of `level_confidence`, fitted to what `reliability.py` counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from wirbel.core.levels.calibration import calibrated

FIGURES = Path(__file__).parents[2] / "workflow_scripts/wirbel/core/levels/calibration_figures.py"
TEXT = '''"""Figures of the calibration, written by `benchmarks/levels/reliability.py --calibrate`."""

SLOPE, OFFSET = {slope}, {offset}
MAPS = {maps}
RELIABILITY: tuple[tuple[float, float, int, float], ...] = (
{rows})
"""Confidence from, to, number of maps, share of them named right."""
'''
BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 1.0)


def fit(rows: list[dict]) -> tuple[float, float]:
    """Return slope and offset of the logistic map (Platt 1999) from the model's log odds to those of being right."""
    probability = np.clip([float(row["probability"]) for row in rows], 1e-4, 1 - 1e-4)
    odds = np.log(probability / (1 - probability))
    right = np.array([row["right"] == "1" for row in rows])

    def loss(parameters):
        z = parameters[0] * odds + parameters[1]
        return np.logaddexp(0, np.where(right, -z, z)).sum()

    slope, offset = minimize(loss, (1.0, 0.0)).x
    return round(float(slope), 3), round(float(offset), 3)


def write_calibration(slope: float, offset: float, rows: list[dict]) -> None:
    """Write the parameters and the table of reliability that the dictionary shows."""
    confidence = np.array([calibrated(float(row["probability"]), slope, offset) for row in rows])
    right = np.array([row["right"] == "1" for row in rows])
    table = []
    for low, high in zip(BINS, BINS[1:], strict=False):
        own = (confidence >= low) & (confidence < high + (high == 1.0))
        if own.any():
            table.append((low, high, int(own.sum()), round(float(right[own].mean()), 3)))
    lines = "".join(f"    {row},\n" for row in table)
    text = TEXT.format(slope=slope, offset=offset, maps=len(rows), rows=lines)
    FIGURES.write_text(text)
    print(text)
