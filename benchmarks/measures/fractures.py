"""Whether fracture grades are right: single, combined and adjacent fractures, beside merged and half-missing vertebrae.

Each simulated spine has the usual heights times a person's size, a change of proportions along the spine, and chance at
every level; then vertebrae lose height. The right grade follows from what each has lost of its own corner heights.

    python benchmarks/measures/fractures.py --spines 400 --chance 0.025
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.measures.fractures.expected import USUAL_POSTERIOR_MM
from wirbel.core.measures.fractures.grades import GENANT_LEVELS, GENANT_LIMITS, fracture_columns

VIEWS = {"whole": ("C3", "L5"), "thoracic": ("C7", "T12"), "lumbar": ("T11", "L5")}
"""Field of view -> its first and last level with a height."""
SIZE, SLOPE, CHANCE = 0.08, 0.1, 0.025
"""Spread of persons' sizes, of the change of proportions over ten levels, and of single levels about both."""
NOISE_MM = 0.2
"""Spread of measuring a corner height (docs/measures.md)."""
KINDS = {
    "wedge": (1, 0.4, 0),
    "biconcave": (0, 1, 0),
    "crush": (1, 1, 1),
    "combined": (1, 0.8, 0.5),
}
"""Kind -> the parts of the loss that front, middle and back have of it."""
LOSS = (0.10, 0.50)
CLEAR = 2.0
"""Percent of height: nearer to a limit than this, either grade counts as right."""


@dataclass
class Case:
    """One spine: heights before and after, and what else is wrong with it."""

    intact: dict[int, float]
    lost: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    spoilt: dict[int, float] = field(default_factory=dict)
    beside: str = "single"


def levels_of(view: str) -> list[int]:
    """Return the labels of a field of view, top down."""
    first, last = (list(USUAL_POSTERIOR_MM).index(LEVEL_LABELS[v]) for v in VIEWS[view])
    labels = list(USUAL_POSTERIOR_MM)[first : last + 1]
    return [v for v in labels if v not in (LEVEL_LABELS["T13"], LEVEL_LABELS["L6"])]


def sample(rng: np.random.Generator, chance: float = CHANCE) -> Case:
    """Return a spine with one to three fractures in a row, perhaps next to a merged or half-missing vertebra."""
    labels = levels_of(str(rng.choice(list(VIEWS))))
    size, slope = rng.normal(1, SIZE), rng.normal(0, SLOPE)
    case = Case(
        {
            v: USUAL_POSTERIOR_MM[v]
            * size
            * np.exp(slope * (k - len(labels) / 2) / 10 + rng.normal(0, chance))
            for k, v in enumerate(labels)
        }
    )
    graded = [v for v in labels if v in GENANT_LEVELS]
    number = int(rng.choice([1, 1, 2, 3]))
    first = int(rng.integers(0, len(graded) - number + 1))
    for v in graded[first : first + number]:
        loss, kind = rng.uniform(*LOSS), str(rng.choice(list(KINDS)))
        case.lost[v] = tuple(loss * part for part in KINDS[kind])
    case.beside = "adjacent" if number > 1 else "single"
    free = [v for v in graded if v not in case.lost and _beside(graded, v, case.lost)]
    if free and rng.random() < 0.4:
        fault = float(rng.choice([2.25, 0.5]))
        case.spoilt[int(rng.choice(free))] = fault
        case.beside += " + " + ("merged" if fault > 1 else "half missing")
    return case


def _beside(order: list[int], label: int, lost) -> bool:
    at = order.index(label)
    return any(abs(order.index(v) - at) == 1 for v in lost)


def rows(case: Case, rng: np.random.Generator) -> list[dict]:
    """Return what measuring the spine would find."""
    found = []
    for v, high in case.intact.items():
        parts = case.lost.get(v, (0.0, 0.0, 0.0))
        front, middle, back = (
            high * (1 - part) * case.spoilt.get(v, 1.0) + rng.normal(0, NOISE_MM) for part in parts
        )
        middle *= 0.93  # endplates are hollow
        names = ("anterior", "middle", "posterior")
        heights = dict(zip(names, (front, middle, back), strict=True))
        row = {"label": v, "height_status": "ok"}
        row |= {f"height_{n}_mm": h for n, h in heights.items()}
        found.append(row | {f"corner_height_{n}_mm": h for n, h in heights.items()})
    return found


def right_grades(front: float, middle: float, back: float) -> set[int]:
    """Return the grade of losses in percent of the heights before; two of them close to a limit."""
    loss = max(front, middle, back)
    return {sum(loss + off >= limit for limit in GENANT_LIMITS) for off in (-CLEAR, 0.0, CLEAR)}


def compare(case: Case, found: dict[int, dict], tally: Counter) -> None:
    """Count the grades of what is fractured, and of what is not, that are right."""
    for v in case.intact:
        if v in case.spoilt or v not in GENANT_LEVELS:
            continue
        front, middle, back = (100 * part for part in case.lost.get(v, (0, 0, 0)))
        middle = 100 - 0.93 * (100 - middle)
        kind = case.beside if v in case.lost else "intact"
        right = found[v]["genant_grade"] in right_grades(front, middle, back)
        tally[kind, right] += 1


def show(tally: Counter) -> None:
    """Print how many grades are right, by what lies beside the fracture."""
    kinds = sorted({kind for kind, _ in tally})
    for kind in kinds:
        right, wrong = tally[kind, True], tally[kind, False]
        print(f"{kind:<28}{right:>5} of {right + wrong:>5}  {100 * right / (right + wrong):.1f} %")
    fractures = [k for k in tally if k[0] != "intact"]
    right, n = sum(tally[k] for k in fractures if k[1]), sum(tally[k] for k in fractures)
    print(f"{'all fractures':<28}{right:>5} of {n:>5}  {100 * right / n:.1f} %")


def main() -> None:
    """Simulate, grade, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spines", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--chance", type=float, default=CHANCE, help="spread of single levels")
    args = parser.parse_args()
    rng, tally = np.random.default_rng(args.seed), Counter()
    for _ in range(args.spines):
        case = sample(rng, args.chance)
        measured = rows(case, rng)
        found = {
            r["label"]: r | c for r, c in zip(measured, fracture_columns(measured), strict=True)
        }
        compare(case, found, tally)
    show(tally)


if __name__ == "__main__":
    main()
