"""Choose what computes the networks on a processor: the setting `engine`, and what it means on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from wirbel.core.method.names import OPENVINO, SPINEPS, TORCH

AUTO = "auto"
ENTRY = "ProcessorEngine"
"""Of a plan and of a sidecar: what is to compute the networks on a processor, and what did."""
PROCESSOR = Path("/proc/cpuinfo")
WANTED = "avx2"
"""OpenVINO was measured on processors with this and without bfloat16."""
GRAPHICS = (Path("/dev/nvidiactl"), Path("/dev/kfd"))
"""Linux has these files where a driver for GPUs of NVIDIA or AMD is loaded."""
BFLOAT16 = ("avx512_bf16", "amx_bf16")
"""Torch computes in bfloat16 where the processor has one of these, which single precision cannot keep up with."""


def engine_of(setting: str, method: str, *, earlier: str = "", on_cluster: bool = False) -> str:
    """Return TORCH or OPENVINO.

    Parameters
    ----------
    setting : str
        Both mean themselves. `AUTO` means what the output folder's results were made with so far; in a new folder
        OpenVINO if it is installed, no GPU is here, and this processor has AVX2 but no bfloat16. Another machine thus
        neither mixes nor repeats results.
    method : str
        Steps of SPINEPS digit by digit (`compatibility: spineps`) stay with torch, as there.
    earlier : str
        The engine of the last run into the output folder; empty: there was none.
    on_cluster : bool
        Whether other machines compute, whose processors and GPUs are not known here: torch does on all of them.
    """
    if setting != AUTO:
        return setting
    if method == SPINEPS:
        return TORCH
    if earlier:
        return earlier
    if on_cluster or find_spec("openvino") is None or any(path.exists() for path in GRAPHICS):
        return TORCH
    flags = _processor_flags()
    return OPENVINO if WANTED in flags and not flags & {*BFLOAT16} else TORCH


def engine_parameter(*chosen: str) -> dict[str, str]:
    """Return the entry for the sidecars: what computed, unless a GPU did; {} if it was torch in any case.

    Parameters
    ----------
    *chosen : str
        The engine of the semantic network, of the instance network, or of both.

    Examples
    --------
    >>> engine_parameter("openvino", "openvino")
    {'ProcessorEngine': 'openvino'}
    """
    if set(chosen) <= {TORCH}:
        return {}
    return {ENTRY: ", ".join(dict.fromkeys(chosen))}


def with_engines(entries: Mapping[str, Any], used: tuple[str, ...] | None) -> dict[str, Any]:
    """Return a plan's sidecar entries with the engines that computed in place of the planned ones.

    Parameters
    ----------
    entries : mapping
        Sidecar entries.
    used : tuple of str or None
        What computed networks on a processor; empty: a GPU did. None: not known, the plan's word stands.

    Examples
    --------
    >>> with_engines({"ProcessorEngine": "openvino"}, ("torch", "openvino"))
    {'ProcessorEngine': 'torch, openvino'}
    """
    if used is None:
        return dict(entries)
    return {key: value for key, value in entries.items() if key != ENTRY} | engine_parameter(*used)


def _processor_flags() -> set[str]:
    """Return the processor's instruction sets as Linux names them; elsewhere none."""
    try:
        lines = PROCESSOR.read_text().splitlines()
    except OSError:
        return set()
    return next(({*line.split()} for line in lines if line.startswith("flags")), set())
