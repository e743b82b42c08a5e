"""What `phantoms.py` has measured, summed up: figures per measure, for the dictionary and for the page on measures."""

from __future__ import annotations

import csv
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from wirbel.core.dictionary import TABLES
from wirbel.core.labels import region_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "measures.md"
MARKS = ("<!-- figures of benchmarks/measures/phantoms.py -->\n", "<!-- end of figures -->\n")
TRUTH, STANDARD, RESLICED = "truth", "standard", "resliced"
REGIONS = ("cervical", "thoracic", "lumbar")
KEYS = {"vertebrae": "label", "discs": "label_above", "levels": "label"}
OTHER_SCANS = ("shifted", "rotated", "thick", "isotropic", "mirrored")
LIMITS = {
    "*height_*mm": (0.5, "mm"),
    "*depth_*mm": (0.8, "mm"),
    "*width_*mm": (0.8, "mm"),
    "c*_rl_*_mm": (0.8, "mm"),
    "c*_ap_*_mm": (0.5, "mm"),
    "*_volume_mm3": (3.0, "percent"),
    "*_mm2": (5.0, "percent"),
    "*_deg": (1.5, "deg"),
}
"""Measure -> mean absolute error allowed on true label maps at the standard voxel size, and its unit."""
LARGEST_HEIGHT_BIAS_MM = 0.2


def limit_of(name: str) -> tuple[float, str] | None:
    """Return the limit of a measure's mean absolute error, and its unit; None without one."""
    return next((limit for pattern, limit in LIMITS.items() if fnmatch(name, pattern)), None)


def read(path: Path) -> dict[tuple[str, str], dict[str, dict]]:
    """Return (table, measure) -> condition -> (seed, row) -> value."""
    found: dict = {}
    with path.open(newline="") as file:
        for line in csv.DictReader(file, delimiter="\t"):
            by_condition = found.setdefault((line["table"], line["measure"]), {})
            place = by_condition.setdefault(line["condition"], {})
            place[line["seed"], line["row"]] = float(line["value"])
    return found


def figures(by_condition: dict[str, dict]) -> dict[str, float]:
    """Return errors against the truth, and differences between scans of the same person."""
    standard = by_condition.get(STANDARD, {})
    truth = by_condition.get(TRUTH, {})
    pairs = [(standard[k], truth[k]) for k in standard if k in truth]
    repeated = _repeated(by_condition, standard)
    found: dict[str, float] = {}
    resliced = _repeated(by_condition, standard, (RESLICED,))
    kinds = {"error": pairs, "difference": repeated, "resliced": resliced}
    for kind, both in kinds.items():
        if both:
            one, other = np.array(both).T
            off = one - other
            known = np.abs(other) > 1e-6
            relative = 100 * off[known] / np.abs(other[known])
            found |= {
                f"{kind}_count": len(off),
                f"{kind}_bias": float(off.mean()),
                f"{kind}_mean": float(np.abs(off).mean()),
                f"{kind}_95": float(np.percentile(np.abs(off), 95)),
                f"{kind}_largest": float(np.abs(off).max()),
            }
            if known.any():
                found[f"{kind}_mean_percent"] = float(np.abs(relative).mean())
                found[f"{kind}_bias_percent"] = float(relative.mean())
    return found


def _repeated(
    by_condition: dict[str, dict], standard: dict, conditions: tuple[str, ...] = OTHER_SCANS
) -> list[tuple[float, float]]:
    """Return (value under one of the conditions, value of the same person's first scan)."""
    return [
        (value, standard[k])
        for name in conditions
        for k, value in by_condition.get(name, {}).items()
        if k in standard
    ]


def by_region(by_condition: dict[str, dict]) -> dict[str, float]:
    """Return region of the spine -> what 95 % of the differences in it stay below."""
    standard = by_condition.get(STANDARD, {})
    found = {}
    for region in REGIONS:
        here = {k: v for k, v in standard.items() if region_of(int(k[1])) == region}
        if pairs := _repeated(by_condition, here):
            one, other = np.array(pairs).T
            found[region] = float(f"{np.percentile(np.abs(one - other), 95):.3g}")
    return found


def summarise(values: dict) -> dict:
    """Print the figures of all measures; return what the dictionary states, table -> measure -> entry."""
    stated: dict[str, dict] = {}
    print(
        f"{'measure':<44}{'n':>6}{'bias':>9}{'MAE':>9}{'MAE %':>8}{'95 %':>9}   {'repeat 95 %':>11}"
    )
    for table, name in (place for place in declared() if place in values):
        by_condition = values[table, name]
        found = figures(by_condition)
        cells = [found.get(f"error_{k}") for k in ("count", "bias", "mean", "mean_percent", "95")]
        cells.append(found.get("difference_95"))
        shown = [
            f"{'' if c is None else f'{c:.4g}':>{w}}"
            for c, w in zip(cells, (6, 9, 9, 8, 9, 14), strict=True)
        ]
        print(f"{table + '.' + name:<44}" + "".join(shown))
        if "difference_95" in found:
            entry = _entry(found)
            if table in KEYS:
                entry["Difference95ByRegion"] = by_region(by_condition)
            stated.setdefault(table, {})[name] = entry
    return stated


def _entry(found: dict[str, float]) -> dict[str, float]:
    entry = {
        "Difference95": found["difference_95"],
        "DifferenceLargest": found["difference_largest"],
        "Scans": found["difference_count"],
    }
    if "resliced_95" in found:
        entry["Difference95Resliced"] = found["resliced_95"]
    if "error_mean" in found:
        entry |= {"Bias": found["error_bias"], "MeanAbsoluteError": found["error_mean"]}
    return {k: v if isinstance(v, int) else float(f"{v:.3g}") for k, v in entry.items()}


def with_earlier(stated: dict, earlier: dict) -> dict:
    """Return `stated`, with the earlier entry of each measure that rested on more scans."""
    merged: dict[str, dict] = {}
    for table, name in declared():
        entries = [e[table][name] for e in (stated, earlier) if name in e.get(table, {})]
        if entries:
            merged.setdefault(table, {})[name] = max(entries, key=lambda entry: entry["Scans"])
    return merged


def declared() -> list[tuple[str, str]]:
    """Return (table, column) of all columns, in their order."""
    return [(table, c.name) for table, columns in TABLES.items() for c in columns]


def lines_of(page: str) -> dict[str, str]:
    """Return "table.measure" -> its line in the page's table of figures."""
    rows = (line.split(" | ") for line in page.split(MARKS[0])[1].split(MARKS[1])[0].splitlines())
    return {f"{row[0][2:]}.{row[1].strip('`')}": " | ".join(row) for row in rows if len(row) > 1}


def table_of(values: dict, stated: dict, before: dict[str, str]) -> str:
    """Return the figures as a table for the page on measures; positions are left out.

    `before`: the page's lines, which stay where `stated` rests on earlier values.
    """
    repeated = "repeated scans, 95 % (C / T / L) | n | resliced map, 95 %"
    lines = [f"| table | measure | bias | mean absolute error | limit | {repeated} |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for table, entries in stated.items():
        units = {c.name: c.units for c in TABLES[table]}
        for name, entry in entries.items():
            if "centroid" in name:
                continue
            found = figures(values.get((table, name), {}))
            if found.get("difference_count") != entry["Scans"]:
                lines.append(before[f"{table}.{name}"])
                continue
            unit = units[name].replace("1", "").replace("percent", "%")
            error, limit = _error_cells(name, found, unit)
            repeated = f"{_by_region_cell(entry)} {unit}".strip()
            cells = [table, f"`{name}`", *error, limit, repeated, str(entry["Scans"])]
            resliced = entry.get("Difference95Resliced")
            cells.append("" if resliced is None else f"{resliced:g} {unit}".strip())
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _by_region_cell(entry: dict) -> str:
    """Return what 95 % of the differences stay below, region by region; a scan's values have no region."""
    parts = entry.get("Difference95ByRegion")
    if parts is None:
        return f"{entry['Difference95']:g}"
    return " / ".join(f"{parts[r]:g}" if r in parts else "-" for r in REGIONS)


def _error_cells(name: str, found: dict[str, float], unit: str) -> tuple[list[str], str]:
    """Return bias and mean absolute error, in percent where the limit is, and the limit; bold where missed."""
    if "error_mean" not in found:
        return ["", ""], ""
    limit = limit_of(name)
    percent = limit is not None and limit[1] == "percent"
    ending = "_percent" if percent else ""
    unit = "%" if percent else unit
    bias, mean = found[f"error_bias{ending}"], found[f"error_mean{ending}"]
    shown = f"{mean:.2g} {unit}".strip()
    if limit is None:
        return [f"{bias:.2g} {unit}".strip(), shown], ""
    missed = mean > limit[0] or (
        "height_" in name and unit == "mm" and abs(bias) > LARGEST_HEIGHT_BIAS_MM
    )
    return [
        f"{bias:.2g} {unit}".strip(),
        f"**{shown}**" if missed else shown,
    ], f"{limit[0]:g} {unit}"


def write_page(values: dict, stated: dict) -> None:
    """Replace the table on the page on measures."""
    page = PAGE.read_text()
    before, rest = page.split(MARKS[0])
    table = table_of(values, stated, lines_of(page))
    PAGE.write_text(before + MARKS[0] + table + MARKS[1] + rest.split(MARKS[1])[1])
