"""Analytic bodies and discs over a wide range of shapes and grids: is every cell right, or rightly withheld?

Each case is a chain of two bodies and the disc between them (or two discs and the body between them), made of
formulas, posed at random and drawn on a grid. A cell is one measure of the middle structure, or of canal and cord
behind it. It is wrong when it is given and off by more than twice its limit, and when it is withheld though its error
would lie within the limit: that is known from measuring the same shape whole, in the same pose, when a border or few
slices are what withholds it.

    python benchmarks/measures/shapes.py --cases 150 --seed 1
    python benchmarks/measures/shapes.py --cases 150 --seed 1 --unusual
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict

import numpy as np
from drawn_shapes import Case, chain, draw, sample, sample_unusual, spoil

from wirbel.core.dictionary import TABLES
from wirbel.core.geometry import Volume
from wirbel.core.labels import DISC_OFFSET
from wirbel.core.measures import measure
from wirbel.core.measures.cord.sections import CENTRAL_MM

LIMITS = {"height": 0.5, "depth": 0.8, "width": 0.8, "wedge": 1.5, "area": 5.0}
"""Kind of measure -> limit of docs/measures.md: mm, degrees, percent."""


def cells(case: Case) -> dict[str, tuple[float, str, float]]:
    """Return measure -> (truth, kind of limit, a limit's value in the measure's unit)."""
    shape, disc = case.shape, case.kind == "disc"
    at = {"posterior": 0.15, "middle": 0.5, "anterior": 0.85}
    prefix = "disc_height" if disc else "height"
    found = {f"{prefix}_{n}_mm": (shape.height_at(f), "height") for n, f in at.items()}
    found[f"{'disc_' if disc else ''}wedge_angle_deg"] = (shape.wedge_deg, "wedge")
    if disc:
        found["disc_height_mm"] = (shape.middle_mm, "height")
        found["disc_depth_mm"] = (shape.depth_mm, "depth")
        found["disc_width_mm"] = (shape.width_mm, "width")
        found["disc_area_mm2"] = (shape.depth_mm * shape.middle_mm, "area")
    else:
        for place in ("upper", "middle", "lower"):
            found[f"depth_{place}_mm"] = (shape.depth_mm, "depth")
            found[f"width_{place}_mm"] = (shape.width_mm, "width")
    if not disc:
        rims = {"posterior": 0.03, "anterior": 0.97}
        found |= {f"corner_height_{n}_mm": (shape.height_at(f), "height") for n, f in rims.items()}
        found["coronal_wedge_angle_deg"] = (-shape.side_deg, "wedge")
    place = "disc" if disc else "body"
    for name, (deep, wide) in (("canal", case.canal_mm), ("cord", case.cord_mm)):
        found[f"{name}_area_{place}_mm2"] = (np.pi / 4 * deep * wide, "area")
        central = np.mean(np.sqrt(1 - (np.linspace(0, CENTRAL_MM, 21) / wide) ** 2))
        found[f"{name}_ap_{place}_mm"] = (deep * central, "height")
        found[f"{name}_rl_{place}_mm"] = (wide, "width")
    return {
        name: (true, kind, LIMITS[kind] * (true / 100 if kind == "area" else 1))
        for name, (true, kind) in found.items()
    }


def row_of(case: Case, maps: tuple[Volume, Volume]) -> dict:
    """Return the measured row of the structure under test, and that of canal and cord behind it."""
    found = measure(None, *maps)
    label = chain(case)[len(chain(case)) // 2][0]
    body = label % DISC_OFFSET
    level = next((r for r in found.levels if r["label"] == body), {})
    if case.kind == "disc":
        return level | next((r for r in found.discs if r["label_above"] == body), {})
    return level | next((r for r in found.vertebrae if r["label"] == label), {})


def judge(case: Case) -> dict[str, str]:
    """Return measure -> verdict.

    Right; said (given, and its status tells why it may be off); off (given as `ok`, but wrong); withheld (rightly); or
    lost (withheld, but right).
    """
    maps = draw(case)
    whole = row_of(case, maps)
    spoilt, harm = spoil(case, maps)
    row = whole if case.wrong == "none" else row_of(case, spoilt)
    verdicts = {}
    for name, (true, kind, limit) in cells(case).items():
        value = row.get(name)
        state = row.get(STATUS[name])
        if value is not None and state != "ok":
            verdicts[name] = "said"
        elif value is not None:
            verdicts[name] = "right" if abs(value - true) <= 2 * limit else "off"
        elif (
            harm == "aside"
            or name.startswith(SIDEWAYS.get(harm, ()))
            or kind == "width"
            and harm in SIDEWAYS
        ):
            verdicts[name] = "withheld"
        else:
            known = whole.get(name)
            verdicts[name] = "lost" if known is None or abs(known - true) <= limit else "withheld"
    return verdicts


def main() -> None:
    """Judge and print, by measure and by what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--unusual", action="store_true", help="shapes further from the usual")
    parser.add_argument("--show", action="store_true", help="print each case with a wrong cell")
    args = parser.parse_args()
    rng, tally, by_wrong = (
        np.random.default_rng(args.seed),
        defaultdict(Counter),
        defaultdict(Counter),
    )
    for k in range(args.cases):
        case = (sample_unusual if args.unusual else sample)(rng)
        verdicts = judge(case)
        for name, verdict in verdicts.items():
            tally[name][verdict] += 1
            by_wrong[f"{case.kind}, {case.wrong}"][verdict] += 1
        bad = {n: v for n, v in verdicts.items() if v in ("off", "lost")}
        if args.show and bad:
            print(k, case, bad, flush=True)
    for title, table in (("measure", tally), ("what is wrong", by_wrong)):
        print(f"{title:<28}" + "".join(f"{v:>10}" for v in VERDICTS))
        for name, count in sorted(table.items()):
            print(f"{name:<28}" + "".join(f"{count[v]:>10}" for v in VERDICTS))
    total = sum(tally.values(), Counter())
    good = total["right"] + total["said"] + total["withheld"]
    print(
        f"right or rightly withheld: {good} of {sum(total.values())}, {100 * good / sum(total.values()):.1f} %"
    )


SIDEWAYS = {
    "side": ("canal_area", "cord_area"),
    "few": ("coronal",),
}
"""What is wrong -> names of what it withholds rightly, beside the widths: the border may cut canal and cord as well.
What shows only one side withholds everything."""
VERDICTS = ("right", "said", "off", "withheld", "lost")
STATUS = {c.name: c.status for table in ("vertebrae", "discs", "levels") for c in TABLES[table]}
"""Measure -> its status column."""


if __name__ == "__main__":
    main()
