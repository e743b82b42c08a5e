"""Faults of the image: noise, and motion while it was taken.

Each takes a scan whose slices lie along the last axis (`reorient`) and a generator, and returns the faulty scan. Motion
is put into the lines of each slice's k-space: `shots` of a turbo spin echo share the lines out in turn, so that what
moves from shot to shot makes ghosts along the phase-encoding axis.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from wirbel.core.geometry import Volume

ECHO_TRAIN = 16
"""Lines of k-space in each shot."""
PERIODS_PER_SHOT = (0.2, 0.5)
"""Breaths for each shot: one in 4 to 6 s, shots of 1.5 to 3 s."""


def noisy(scan: Volume, rng: np.random.Generator, share: float) -> Volume:
    """Rician noise (both channels) of `share` of the brightest tissue."""
    sigma = share * np.percentile(scan.data, 99)
    real, imaginary = (sigma * rng.standard_normal(scan.data.shape) for _ in range(2))
    return scan.with_data(np.hypot(scan.data + real, imaginary))


def breathing(
    scan: Volume, rng: np.random.Generator, mm: float, encoded: int, moved: int
) -> Volume:
    """The body moves to and fro by `mm` along axis `moved`, from shot to shot; phase is encoded along `encoded`."""
    lines = scan.data.shape[encoded]
    place = np.argsort(np.argsort(np.fft.fftfreq(lines)))
    shots = int(np.ceil(lines / ECHO_TRAIN))
    frequency = np.fft.fftfreq(scan.data.shape[moved])
    out = np.empty_like(scan.data)
    for k in range(scan.data.shape[2]):
        cycles = rng.uniform(*PERIODS_PER_SHOT) * np.arange(shots) + rng.uniform()
        shift = mm * np.sin(2 * np.pi * cycles)[place % shots] / scan.spacing_mm[moved]
        phase = np.outer(shift, frequency) if encoded != moved else shift * frequency
        if encoded != moved:
            turned = phase if encoded == 0 else phase.T
        else:
            turned = phase[:, None] if encoded == 0 else phase[None, :]
        plane = np.fft.fft2(scan.data[:, :, k]) * np.exp(-2j * np.pi * turned)
        out[:, :, k] = np.abs(np.fft.ifft2(plane))
    return scan.with_data(out)


def slipped(scan: Volume, rng: np.random.Generator, mm: float) -> Volume:
    """Between both halves of an interleaved scan the body moved by `mm` in the plane of the slices."""
    angle = rng.uniform(0, 2 * np.pi)
    shift = mm * np.array([np.cos(angle), np.sin(angle)]) / scan.spacing_mm[:2]
    turned = np.add.outer(
        *(s * np.fft.fftfreq(n) for s, n in zip(shift, scan.data.shape[:2], strict=True))
    )
    out = scan.data.copy()
    plane = np.fft.fft2(out[:, :, 1::2], axes=(0, 1)) * np.exp(-2j * np.pi * turned)[..., None]
    out[:, :, 1::2] = np.abs(np.fft.ifft2(plane, axes=(0, 1)))
    return scan.with_data(out)


ImageFault = Callable[[Volume, np.random.Generator], Volume]
IMAGE_FAULTS: dict[str, ImageFault] = {
    **{f"noise of {100 * s:g} %": partial(noisy, share=s) for s in (0.05, 0.1, 0.2, 0.3)},
    **{
        f"breathing of {mm:g} mm along axis {moved}, lines along axis {encoded}": partial(
            breathing, mm=mm, encoded=encoded, moved=moved
        )
        for mm in (1, 2, 4)
        for encoded in (0, 1)
        for moved in (0, 1)
    },
    **{f"halves apart by {mm:g} mm": partial(slipped, mm=mm) for mm in (0.5, 1, 2, 4)},
}
