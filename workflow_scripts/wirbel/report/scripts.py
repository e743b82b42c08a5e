"""Data as JavaScript files: a page opened from the disk may load scripts, but must not fetch JSON.

Each file is one call, `WIRBEL.put("name", value);`. Names and sentences come from files, so nothing in them may end a
script or start a tag.
"""

from __future__ import annotations

import json
import math
from typing import Any

from wirbel.io.sidecars import plain

DIGITS = 6
"""Significant digits of numbers: more than any measure has."""
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def as_script(name: str, value: Any) -> str:
    """Return the text of a script that hands `value` over under `name`; NaN and infinity become null."""
    return f"WIRBEL.put({_json(name)}, {_json(value)});\n"


def _json(value: Any) -> str:
    text = json.dumps(
        plain(value, _short), allow_nan=False, ensure_ascii=False, separators=(",", ":")
    )
    for sign, code in UNSAFE.items():
        text = text.replace(sign, code)
    return text


def _short(value: float) -> float | int | None:
    """Return a number with at most `DIGITS` significant digits; None when it is none."""
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short == int(short) and abs(short) < 1e15 else short
