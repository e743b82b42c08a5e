"""Choose what computes the networks on a processor: the setting `engine`, and what it means on this machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from wirbel.core.method.names import OPENVINO, SPINEPS, TORCH

AUTO = "auto"
PROCESSOR = Path("/proc/cpuinfo")
WANTED = "avx2"
"""OpenVINO was measured on processors with this and without bfloat16."""
BFLOAT16 = ("avx512_bf16", "amx_bf16")
"""Torch computes in bfloat16 where the processor has one of these, which single precision cannot keep up with."""


def engine_of(setting: str, method: str) -> str:
    """Return TORCH or OPENVINO: the setting, or what is quickest here.

    `AUTO` means OpenVINO if it is installed and this processor has AVX2 but no bfloat16. Steps of SPINEPS digit by
    digit (`compatibility: spineps`) stay with torch, as there. A GPU computes with torch in any case.
    """
    if setting != AUTO:
        return setting
    if method == SPINEPS or find_spec("openvino") is None:
        return TORCH
    flags = _processor_flags()
    return OPENVINO if WANTED in flags and not flags & {*BFLOAT16} else TORCH


def engine_parameter(*chosen: str) -> dict[str, str]:
    """Return the entry for the sidecars; {} if torch computes everything.

    Parameters
    ----------
    *chosen : str
        The engine of the semantic network, of the instance network, or of both.

    Examples
    --------
    >>> engine_parameter("openvino", "openvino")
    {'Engine': 'openvino'}
    """
    if set(chosen) == {TORCH}:
        return {}
    return {"Engine": ", ".join(dict.fromkeys(chosen))}


def _processor_flags() -> set[str]:
    """Return the processor's instruction sets as Linux names them; elsewhere none."""
    try:
        lines = PROCESSOR.read_text().splitlines()
    except OSError:
        return set()
    return next(({*line.split()} for line in lines if line.startswith("flags")), set())
