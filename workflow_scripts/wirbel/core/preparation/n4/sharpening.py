"""Sharpening of an image's histogram (Sled et al., IEEE TMI 1998;17:87), as N4 does it."""

from __future__ import annotations

import numpy as np

BINS = 200
FWHM = 0.15
"""Full width at half maximum of the field's own histogram of logarithms, taken for Gaussian."""
WIENER_NOISE = 0.01
PADDED = 512
"""Length of the Fourier transforms: the power of two after the next from 200 on."""
OFFSET = (PADDED - BINS) // 2


def sharpened(values: np.ndarray) -> np.ndarray:
    """Return what values (float32, in storage order) are expected to be without the field; same shape and type.

    Values that are all equal come back as they are.
    """
    low, high = limits(values)
    slope = (high - low) / np.float32(BINS - 1)
    if not slope > 0:
        return values
    position = (values - low) / slope
    bins = position.astype(np.int16)
    share = position - bins
    below = position < 0
    expected = expectation(histogram(bins, share, below), low, slope).astype(np.float32)
    rise = np.diff(expected, append=expected[-1])
    result = expected.take(bins, mode="clip") + rise.take(bins, mode="clip") * share
    result[below] = expected[-1]
    return result


def limits(values: np.ndarray) -> tuple[np.float32, np.float32]:
    """Return the range of the histogram as ITK finds it.

    There a value that is a new maximum is not asked whether it is a minimum, and the first value always is one. So
    rising values at the beginning do not count for the minimum; what lies below it gets the last bin's value.
    """
    rising = np.diff(values) > 0
    run = rising.size if rising.all() else int(np.argmin(rising))
    rest = values[run + 1 :]
    return (rest.min() if rest.size else values.max()), values.max()


def histogram(bins: np.ndarray, share: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return the counts of all bins; each value is shared out between the two bins around it.

    Values below the first bin or beyond the middle of the last one are not counted.
    """
    outside = below | ((bins >= BINS - 1) & (share > 0))
    if outside.any():
        bins, share = bins[~outside], share[~outside]
    upper = np.bincount(bins, share, minlength=BINS)[:BINS]
    counts = np.bincount(bins, minlength=BINS)[:BINS] - upper
    counts[1:] += upper[:-1]
    return counts


def expectation(
    counts: np.ndarray, low: np.floating | float, slope: np.floating | float
) -> np.ndarray:
    """Return, for each bin, the value that is expected without the field.

    The counts are deconvolved with the field's Gaussian by a Wiener filter; the rest is the mean of the result under
    that Gaussian.
    """
    padded = np.zeros(PADDED)
    padded[OFFSET : OFFSET + BINS] = counts
    gaussian = np.fft.rfft(_gaussian(FWHM / slope)).real
    wiener = gaussian / (gaussian**2 + WIENER_NOISE)
    true = np.maximum(np.fft.irfft(np.fft.rfft(padded) * wiener, PADDED), 0)
    at = low + (np.arange(PADDED) - OFFSET) * slope
    both = np.fft.irfft(np.fft.rfft([at * true, true]) * gaussian, PADDED)
    mean = np.divide(both[0], both[1], out=np.zeros(PADDED), where=both[1] != 0)
    return mean[OFFSET : OFFSET + BINS]


def _gaussian(fwhm_bins: np.floating | float) -> np.ndarray:
    distance = np.minimum(np.arange(PADDED), PADDED - np.arange(PADDED))
    factor = 4 * np.log(2) / fwhm_bins**2
    return 2 * np.sqrt(np.log(2) / np.pi) / fwhm_bins * np.exp(-factor * distance**2)
