"""What two tools' masks of the same scans differ in, for `make parity`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import nibabel as nib
import numpy as np

VERTEBRAE = (*range(1, 26), 28)
SPLIT_ENDPLATES = (52, 53)
"""SPINEPS parts endplates into upper and lower ones in its subregion map; Wirbel keeps one number, 62."""
ENDPLATE = 62


@dataclass
class Scan:
    """Comparison of one scan: Dice by label, and what else is asked for."""

    name: str
    subregions: dict[int, float] = field(default_factory=dict)
    vertebrae: dict[int, float] = field(default_factory=dict)
    counts: tuple[int, int] = (0, 0)
    distance_mm: float = 0.0
    same_levels: bool = True
    others: dict[int, float] = field(default_factory=dict)
    names: tuple[list[int], list[int]] = ([], [])
    left_out: str = ""
    """Why it was not compared; empty: it was."""

    @property
    def lowest(self) -> float:
        """The lowest Dice of any subregion or vertebra."""
        return min([*self.subregions.values(), *self.vertebrae.values()], default=0.0)


def compare(
    scans, theirs: dict, ours: dict, by_number: bool, refused: dict[str, str]
) -> list[Scan]:
    """Return a comparison per scan; vertebrae by number, or by largest overlap.

    Scans that Wirbel refused before any network saw them, name -> reason, are left out: SPINEPS takes axial ones.
    """
    out = []
    for name in scans:
        if name in refused:
            out.append(Scan(name, left_out=f"refused by Wirbel ({refused[name]})"))
            continue
        pairs = [
            [_read(maps[name].get(kind)) for maps in (theirs, ours)]
            for kind in ("subregion", "vertebra")
        ]
        if any(volume is None for pair in pairs for volume in pair):
            neither = all(volume is None for pair in pairs for volume in pair)
            nothing = Scan(name, left_out="neither tool found a spine in it")
            out.append(nothing if neither else Scan(name, {0: 0.0}))
            continue
        out.append(_compare(name, *pairs, by_number))
    return out


def _compare(name: str, subregion, vertebra, by_number: bool) -> Scan:
    (a, _), (b, _) = subregion
    a = np.where(np.isin(a, SPLIT_ENDPLATES), ENDPLATE, a)
    (c, affine), (d, _) = vertebra
    first, second = (_labels(m, VERTEBRAE) for m in (c, d))
    matches = _matches(c, d, first)
    partner = {n: n for n in (*first, *second)} if by_number else matches
    dice = {n: _dice(c == n, d == partner.get(n, -1)) for n in first}
    found = {partner[n] for n in first if n in partner}
    dice.update({n: 0.0 for n in second if n not in found})
    distances = [
        _distance(c == n, d == partner[n], affine) for n in first if partner.get(n) in second
    ]
    return Scan(
        name,
        {int(n): _dice(a == n, b == n) for n in np.union1d(a, b) if n},
        dice,
        (len(first), len(second)),
        max(distances, default=0.0),
        all(matches.get(n) == n for n in first),
        {
            int(n): _dice(c == n, d == n)
            for n in np.union1d(c, d)
            if by_number and (n > 99 or n == 26)
        },
        (first, second),
    )


def _matches(a, b, labels) -> dict[int, int]:
    found = {}
    for n in labels:
        overlap = np.bincount(b[a == n].astype(int), minlength=256)[: max(VERTEBRAE) + 1]
        overlap[0] = 0
        if overlap.any():
            found[n] = int(overlap.argmax())
    return found


def _labels(data, among) -> list[int]:
    return [int(n) for n in np.unique(data) if n in among]


def _dice(a, b) -> float:
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else 1.0


def _distance(a, b, affine) -> float:
    means = [np.argwhere(mask).mean(0) for mask in (a, b)]
    return float(np.linalg.norm(affine[:3, :3] @ (means[0] - means[1])))


def _read(path: Path | None):
    if path is None or not path.is_file():
        return None
    image = nib.load(path)
    return np.asarray(image.dataobj).astype(np.int32), image.affine


def show(scans: list[Scan]) -> None:
    """Print the medians and the lowest values over scans, label by label."""
    for kind in ("subregions", "vertebrae", "others"):
        values: dict[int, list[float]] = {}
        for scan in scans:
            for label, dice in getattr(scan, kind).items():
                values.setdefault(label, []).append(dice)
        title = {"others": "sacrum, discs, endplates"}.get(kind, kind)
        cells = [f"{label}: {median(v):.4f} ({min(v):.4f})" for label, v in sorted(values.items())]
        print(f"  {title}, Dice, median (lowest) over scans:")
        for start in range(0, len(cells), 6):
            print("    " + "  ".join(f"{cell:24}" for cell in cells[start : start + 6]))
    for scan in scans:
        if scan.left_out:
            print(f"  {scan.name}: not compared, {scan.left_out}")
            continue
        names = "" if scan.same_levels else " ({} and {})".format(*map(_from_to, scan.names))
        print(
            f"  {scan.name}: lowest {scan.lowest:.4f}; vertebrae {scan.counts[0]} and {scan.counts[1]}; "
            f"largest distance of centroids {scan.distance_mm:.2f} mm; levels "
            + ("equal" if scan.same_levels else "differ")
            + names
        )


def _from_to(numbers: list[int]) -> str:
    return f"{numbers[0]} to {numbers[-1]}" if numbers else "none"


def show_times(rows: list[tuple]) -> None:
    """Print seconds and peak memory of both tools, stage by stage."""
    print(
        "\nSeconds and peak memory (MB) over all scans; Wirbel's include starting a program per stage"
    )
    for name, mode, ours, theirs in rows:
        for stage, (seconds, peak) in ours.items():
            steps = [
                s
                for scan in theirs["scans"].values()
                for s in scan["stages"]
                if s["stage"] == stage
            ]
            other = sum(step["s"] for step in steps)
            most = max((step["peak_mb"] for step in steps), default=0.0)
            print(
                f"  {name}, {mode}: {stage:9} Wirbel {seconds:7.1f} s {peak:6.0f}   SPINEPS {other:7.1f} s {most:6.0f}"
            )
