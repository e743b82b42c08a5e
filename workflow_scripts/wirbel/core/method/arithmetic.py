"""How the networks compute: as quickly as this device can, or digit by digit as SPINEPS does."""

from __future__ import annotations

from enum import Enum

from wirbel.core.method.names import OWN


class Arithmetic(Enum):
    """The arithmetic of both networks.

    `QUICK`: mixed precision where the device has it, sums in single precision.

    `SPINEPS`: images and sums of scores are rounded to half precision where SPINEPS rounds them. The semantic network
    computes in single precision on a CPU, the instance network on every device.
    """

    QUICK = "quick"
    SPINEPS = "spineps"


def arithmetic(method: str) -> Arithmetic:
    """Return the arithmetic that belongs to a method."""
    return Arithmetic.QUICK if method == OWN else Arithmetic.SPINEPS
