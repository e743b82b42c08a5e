"""The entities of a scan's name (BIDS): `sub-01_ses-a_acq-sag_run-2` is ses a, acq sag, run 2."""

from __future__ import annotations

import re
from collections.abc import Mapping

ENTITIES = ("ses", "task", "acq", "ce", "rec", "run", "echo", "flip", "inv", "mt", "part", "chunk")
"""Entities that BIDS allows in the names of anatomical images, in its order."""
INDICES = ("run", "echo", "flip", "inv", "chunk")
"""Those whose value is a number: run-1 and run-01 are the same."""
LABEL = re.compile(r"[0-9A-Za-z+]+")
"""A value as BIDS allows it."""


def entities_of(scan_id: str) -> dict[str, str]:
    """Return entity -> value of a scan's name.

    Examples
    --------
    >>> entities_of("sub-01_ses-a_run-02")
    {'sub': '01', 'ses': 'a', 'run': '02'}
    """
    parts = (part.partition("-") for part in scan_id.split("_"))
    return {name: value for name, dash, value in parts if dash}


def name_of(participant_id: str, session_id: str, more: Mapping[str, str]) -> str:
    """Return a scan's name, with entities in BIDS' order.

    Parameters
    ----------
    participant_id, session_id : str
        "sub-01"; "ses-a" or "".
    more : mapping
        Further entities, such as run -> "2"; empty values are left out.

    Examples
    --------
    >>> name_of("sub-01", "", {"run": "2", "acq": "sag"})
    'sub-01_acq-sag_run-2'
    """
    named = [f"{entity}-{more[entity]}" for entity in ENTITIES if more.get(entity)]
    return "_".join(filter(None, (participant_id, session_id, *named)))


def same_value(entity: str, one: str, other: str) -> bool:
    """Return True if two values of an entity mean the same.

    Examples
    --------
    >>> same_value("run", "1", "01"), same_value("acq", "1", "01")
    (True, False)
    """
    if entity in INDICES and one.isdecimal() and other.isdecimal():
        return int(one) == int(other)
    return one == other
