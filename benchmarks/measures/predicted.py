"""Errors of the measures when the label maps come from the networks: the whole chain on simulated scans.

    snakemake --config bids_dir=IN output_dir=OUT ... -- simulate      # then the same with `evaluate`
    python benchmarks/measures/predicted.py OUT IN/derivatives/truth

Measures the final label maps in OUT again, with the code as it is, and compares them with the truth; scans without
a result are left out. Printed per measure: number, how many are missing, bias, mean absolute error, its limit
(twice that for true label maps), 95 % and the largest.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from figures import limit_of

from wirbel.core.evaluation.figures import measure_rows
from wirbel.core.evaluation.instances import instance_rows
from wirbel.core.geometry import Volume, reorient
from wirbel.core.measures import measure
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.references.reference import Reference

TABLES = ("vertebrae", "discs", "levels", "scans")


def errors(output: Path, truth: Path) -> list[dict]:
    """Return one row per structure and measure of all scans with a result."""
    reference, rows = Reference(truth), []
    for path in sorted(output.glob("sub-*/**/anat/*_desc-vertebra_dseg.nii.gz")):
        scan_id = path.name.split("_desc-")[0]
        vertebra = read_volume(path)
        subregion = read_volume(path.with_name(path.name.replace("vertebra", "subregion")))
        measured = measure(None, subregion, vertebra)
        tables = {t: getattr(measured, t) for t in TABLES[:-1]} | {"scans": [measured.scan]}
        true_map = reference.map(scan_id, "vertebra", vertebra)
        numbers = matched(scan_id, true_map, vertebra)
        for table in TABLES:
            true_rows = reference.rows(table, scan_id)
            rows += measure_rows(scan_id, table, true_rows, tables[table], numbers)
        print(f"{scan_id}: {len(numbers)} vertebrae", file=sys.stderr, flush=True)
    return rows


def matched(scan_id: str, true_map: Volume, vertebra: Volume) -> dict[int, int]:
    """Return true label -> predicted label of the same vertebra."""
    same_axes = reorient(vertebra, true_map.axes)
    rows = instance_rows(scan_id, true_map, same_axes.data)
    return {r["reference_label"]: r["predicted_label"] for r in rows if r.get("found")}


def report(rows: list[dict]) -> None:
    """Print the figures of every measure; the largest errors by scan and level."""
    print(
        f"{'measure':<28}{'n':>5}{'miss':>5}{'bias':>9}{'MAE':>9}{'limit':>12}{'95 %':>9}{'largest':>9}"
    )
    for name in dict.fromkeys(row["measure"] for row in rows):
        mine = [row for row in rows if row["measure"] == name]
        limit = limit_of(name)
        kind = "error_percent" if limit and limit[1] == "percent" else "error_mm"
        off = np.array([row[kind] for row in mine if row[kind] is not None])
        if not len(off):
            continue
        size, worst = np.abs(off), max(mine, key=lambda row: abs(row[kind] or 0))
        shown = f"{2 * limit[0]:g} {limit[1]}" if limit else ""
        over = " OVER" if limit and size.mean() > 2 * limit[0] else ""
        figures = f"{off.mean():>9.3g}{size.mean():>9.3g}{shown:>12}{np.percentile(size, 95):>9.3g}{size.max():>9.3g}"
        where = f"  {worst['scan_id']} {worst['level']}"
        print(f"{name:<28}{len(off):>5}{len(mine) - len(off):>5}{figures}{where}{over}")


def main() -> None:
    """Measure again, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("truth", type=Path)
    args = parser.parse_args()
    report(errors(args.output, args.truth))


if __name__ == "__main__":
    main()
