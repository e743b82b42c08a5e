"""Rotations of the anatomical frame (right, anterior, superior)."""

from __future__ import annotations

import numpy as np


def rotation_from_deg(pitch: float, lean: float, turn: float) -> np.ndarray:
    """Return the rotation that tilts forward by `pitch`, to the right by `lean`, and turns by `turn`."""
    p, t, w = np.deg2rad([pitch, lean, turn])
    forward = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    right = np.array([[np.cos(t), 0, np.sin(t)], [0, 1, 0], [-np.sin(t), 0, np.cos(t)]])
    about = np.array([[np.cos(w), -np.sin(w), 0], [np.sin(w), np.cos(w), 0], [0, 0, 1]])
    return right @ forward @ about
