"""The search for a sequence of levels in both tools, on probabilities made for it; part of `make parity`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np

from parity.runs import call_spineps
from wirbel.core.labelling.level_axis import EXPLICIT, GROUPS, REPEATING
from wirbel.core.labelling.level_path import name_by_heads
from wirbel.core.labels import LEVEL_NAMES

CLASSES = {
    "REGION": 3,
    "VERT": 24,
    "VERTEX": 26,
    "VERTGRP": 12,
    "VERTREL": 6,
    "VERTT13": 2,
    "FULLYVISIBLE": 2,
}
SETS = (
    ("VERT",),
    ("VERTGRP", "REGION"),
    ("VERT", "REGION", "VERTREL", "FULLYVISIBLE"),
    ("VERT", "VERTGRP", "REGION", "VERTREL", "VERTT13", "FULLYVISIBLE"),
    ("VERT", "VERTEX", "REGION", "VERTREL", "VERTT13"),
    ("VERTEX", "REGION", "VERTREL", "FULLYVISIBLE"),
)
"""Heads that a network may have."""
CASES = 400
"""Of every set of heads; every third may begin at C1, of these some know which vertebra is C2."""
SHARPNESS = (1.0, 3.0, 8.0, 60.0)
"""Of the softmax: from hesitant to answers of 0 and 1."""
RELATIONS = {"C7": 1, "T1": 2, "L1": 4, "L5": 5}
RARE = ("T11 above L1", "T13", "L6", "C1", "begins below C2", "ends at L4")


def compare(args, out: Path) -> None:
    """Print how many of the made sequences get the same names in both tools."""
    cases = made(np.random.default_rng(args.seed))
    flat = {f"{case}/{head}": v for case, heads in cases.items() for head, v in heads.items()}
    given, target = out / "paths.npz", out / "paths.json"
    np.savez(given, **flat)
    call_spineps(args, out / "paths.txt", "labelling_spineps", "paths", given, target)
    theirs = json.loads(target.read_text())
    differing, seen = [], Counter()
    for case, heads in cases.items():
        ours = named(case, heads)
        if isinstance(theirs[case], str):  # no sequence fits: an exception there, no names here
            seen["no sequence"] += 1
            differing += [case] if any(ours) else []
            continue
        seen.update(_rarities([LEVEL_NAMES[n] for n in ours if n]))
        differing += [case] if ours != theirs[case] else []
    print(f"\nsearch for a sequence: {len(cases)} sets of probabilities, {len(differing)} differ")
    print("  among them " + ", ".join(f"{name}: {count}" for name, count in seen.items()))
    for case in differing[:5]:
        print(f"  {case}: {theirs[case]} and {named(case, cases[case])}")


def named(case: str, heads: dict[str, np.ndarray]) -> list[int]:
    """Return Wirbel's names for a case, whose name says what is known."""
    axis = int(case.partition("-axis")[2] or -1)
    known = {row: level for row, level in ((axis, "C2"), (axis - 1, "C1")) if row >= 0}
    return list(name_by_heads(heads, "-c1" in case, known)[0])


def made(make: np.random.Generator) -> dict[str, dict[str, np.ndarray]]:
    """Return case -> head -> probabilities (vertebrae, classes) in single precision, as networks give them."""
    cases = {}
    for number in range(CASES):
        for at, heads in enumerate(SETS):
            with_c1 = number % 3 == 0
            levels = _spine(make, with_c1)
            name = f"{number}-{at}" + ("-c1" if with_c1 else "")
            name += f"-axis{number % 2}" if number % 9 < 6 and with_c1 and len(levels) > 1 else ""
            sharp = SHARPNESS[number % len(SHARPNESS)]
            cases[name] = {
                head: _answers(make, head, levels, sharp, number % 2 == 0) for head in heads
            }
            if number % 4 == 0 and "VERTREL" in heads:
                cases[name]["VERTREL"] = _certain_relations(make, levels)
    return cases


def _spine(make: np.random.Generator, with_c1: bool) -> list[str]:
    """Return a part of a spine that may have 11 to 13 thoracic and 4 to 6 lumbar vertebrae."""
    cervical = [f"C{n}" for n in range(1 if with_c1 else 2, 8)]
    thoracic = [f"T{n}" for n in range(1, make.integers(11, 14) + 1)]
    lumbar = [f"L{n}" for n in range(1, make.integers(4, 7) + 1)]
    whole = cervical + thoracic + lumbar
    start = int(make.integers(0, len(whole)))
    return whole[start : start + int(make.integers(1, len(whole) + 1))]


def _answers(make, head: str, levels: list[str], sharp: float, plausible: bool) -> np.ndarray:
    logits = make.normal(size=(len(levels), CLASSES[head]))
    if plausible:
        for row, level in enumerate(levels):
            logits[row, _class_of(head, level)] += 1.5
    logits = np.exp(sharp * (logits - logits.max(axis=1, keepdims=True)))
    return (logits / logits.sum(axis=1, keepdims=True)).astype(np.float32)


def _certain_relations(make, levels: list[str]) -> np.ndarray:
    """Return a relation for every vertebra that adds up to nearly 1 per class; they may all be off by a vertebra."""
    logits = make.normal(size=(len(levels), CLASSES["VERTREL"]))
    shift = int(make.integers(-1, 2))
    for row, level in enumerate(levels):
        logits[(row + shift) % len(levels), RELATIONS.get(level, 0)] += 20
    logits = np.exp(logits)
    return (logits / logits.sum(axis=1, keepdims=True)).astype(np.float32)


def _class_of(head: str, level: str) -> int:
    usual = {"T13": "T12", "L6": "L5"}.get(level, level)
    return {
        "REGION": lambda: "CTL".index(level[0]),
        "VERT": lambda: REPEATING.names.index(usual),
        "VERTEX": lambda: EXPLICIT.names.index(level),
        "VERTGRP": lambda: next(i for i, group in enumerate(GROUPS) if usual in group),
        "VERTREL": lambda: RELATIONS.get(level, 0),
        "VERTT13": lambda: int(level == "T13"),
        "FULLYVISIBLE": lambda: 1,
    }[head]()


def _rarities(names: list[str]) -> list[str]:
    """Return what is remarkable about a sequence."""
    pairs = list(zip(names, names[1:], strict=False))
    true = (
        ("T11", "L1") in pairs,
        "T13" in names,
        "L6" in names,
        "C1" in names,
        names[0] not in ("C1", "C2"),
        names[-1] == "L4",
    )
    return [name for name, holds in zip(RARE, true, strict=True) if holds]
