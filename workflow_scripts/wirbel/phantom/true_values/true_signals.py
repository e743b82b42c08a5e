"""T2 signal of a phantom's marrow and discs relative to its fluid, as its tissues define it.

This is before coils, blur and noise. A ratio measured in an image therefore differs because of both
the image and the measurement.
"""

from __future__ import annotations

import numpy as np

from wirbel.core.measures.signal.signals import DISC_MARGIN_MM
from wirbel.phantom.imaging import tissues as T
from wirbel.phantom.imaging.contrast import Contrast
from wirbel.phantom.true_values.true_volumes import FineMaps


def true_body_ratio(contrast: Contrast, number: int) -> float:
    """Return marrow over fluid for the vertebra with this number from the top (0)."""
    return float(contrast.mean[T.MARROW + number] / contrast.mean[T.CSF])


def true_disc_ratio(contrast: Contrast, maps: FineMaps, label: int) -> float | None:
    """Return the median signal deep inside the disc below vertebra `label` over that of fluid."""
    inner = contrast.mean[maps.disc_inside(label, DISC_MARGIN_MM)[1]]
    return float(np.median(inner) / contrast.mean[T.CSF]) if len(inner) else None
