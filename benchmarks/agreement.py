"""How agreement and margin rank the true quality of vertebrae and discs: correlation and risk-coverage curves.

    python benchmarks/agreement.py OUT REFERENCE [--bodies] [--table FILE.csv]

OUT is an output folder whose sidecars hold "Agreement". REFERENCE holds maps of simulated scans
(IN/derivatives/truth), or with --bodies masks SCAN_dseg.nii.gz of 1 vertebrae, 2 discs, 3 canal (SPIDER: van der
Graaf et al., Sci Data 2024;11:264). Of these, bodies are what lies in front of the canal, separated by connected
components, and vertebrae are compared by their bodies alone: arches are cut to pieces in such narrow slabs.

Every vertebra and disc of OUT that the border cuts off neither above nor below, in front or behind is compared with the
one reference structure that it overlaps most; what overlaps none has Dice 0. Printed for each of the two: Spearman's
correlation of agreement and margin with that Dice, over all scans and within scans, and the mean Dice and the share
below `POOR` of the best 100, 95, 90, ... 50 % by each.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import cc3d
import numpy as np
from scipy import ndimage
from scipy.stats import spearmanr

from wirbel.core.geometry import Volume, reorient
from wirbel.core.labels import BODY_LABELS, DISC_OFFSET, LEVEL_NAMES, SACRUM
from wirbel.core.measures.agreement import agreement_columns
from wirbel.io.maps.sidecar_entries import AGREEMENT_KEY, agreement_from
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.references.reference import Reference
from wirbel.io.sidecars import read_json

POOR = 0.7
"""Dice below which a structure is hardly of use."""
VERTEBRA, DISC, CANAL = 1, 2, 3
BRIDGE_MM = 1.5
"""Bodies that touch in the masks (osteophytes, a voxel or two) are parted where they are thinner than twice this."""
SMALLEST_ML = {VERTEBRA: 4.0, DISC: 0.3}
"""Smaller components of a mask are no body or disc wholly in view, but a process or a piece."""
COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
VALUES = ("instance_agreement", "body_margin", "semantic_margin")


def rows_of(sidecar: Path, reference: Reference, masks: Path | None) -> list[dict]:
    """Return a row for each vertebra and disc of a scan: what the networks agree about, and true Dice."""
    scan_id = sidecar.name.split("_desc-")[0]
    vertebra = read_volume(sidecar.with_suffix(".nii.gz"))
    subregion = read_volume(sidecar.with_name(f"{scan_id}_desc-subregion_dseg.nii.gz"))
    labels = np.unique(vertebra.data).tolist()
    vertebrae = [{"label": n} for n in labels if n in LEVEL_NAMES and n != SACRUM]
    discs = [{"label_above": n - DISC_OFFSET} for n in labels if n // DISC_OFFSET == 1]
    agreement_columns(vertebrae, discs, agreement_from(read_json(sidecar)[AGREEMENT_KEY]), ())
    truths = (
        by_masks(masks, scan_id, vertebra) if masks else by_labels(reference, scan_id, vertebra)
    )
    predicted = vertebra.data
    if masks:
        predicted = np.where(
            np.isin(subregion.data, BODY_LABELS) | (predicted >= DISC_OFFSET), predicted, 0
        )
    rows = []
    for kind, table, key, offset in (
        ("vertebra", vertebrae, "label", 0),
        ("disc", discs, "label_above", DISC_OFFSET),
    ):
        for row in table:
            mask = predicted == row[key] + offset
            if not mask.any() or is_cut(vertebra.with_data(mask)):
                continue
            rows.append(
                {"scan_id": scan_id, "kind": kind, "level": LEVEL_NAMES.get(row[key], "?")}
                | {name: row.get(name) for name in (*VALUES, "instance_votes", "low_agreement")}
                | {"dice": best_dice(mask, truths[kind])}
            )
    return rows


def by_labels(reference: Reference, scan_id: str, like: Volume) -> dict[str, np.ndarray]:
    """Return numbered vertebrae and discs of a simulated scan's true map."""
    data = reference.map(scan_id, "vertebra", like).data
    vertebrae = np.where(np.isin(data, list(LEVEL_NAMES)) & (data != SACRUM), data, 0)
    return {"vertebra": vertebrae, "disc": np.where(data // DISC_OFFSET == 1, data, 0)}


def by_masks(folder: Path, scan_id: str, like: Volume) -> dict[str, np.ndarray]:
    """Return numbered components of a scan's masks of vertebrae and discs."""
    stored = read_volume(next(folder.rglob(f"{scan_id.removesuffix('_T2w')}_dseg.nii*")))
    mask = reorient(stored).data.copy()
    front = canal_front(mask == CANAL)
    mask[(mask == VERTEBRA) & (np.arange(len(mask))[:, None, None] >= front[None, :, None])] = 0
    mask = reorient(Volume(mask, reorient(stored).affine), like.axes).data
    voxel_ml = float(np.prod(like.spacing_mm)) / 1000
    out = {}
    for kind, label in (("vertebra", VERTEBRA), ("disc", DISC)):
        parts = separated(mask == label, float(like.spacing_mm.min()) if kind == "vertebra" else 0)
        small = np.bincount(parts.ravel()) * voxel_ml < SMALLEST_ML[label]
        parts[small[parts]] = 0
        out[kind] = parts
    return out


def separated(mask: np.ndarray, voxel_mm: float) -> np.ndarray:
    """Return numbered components, parted where less than twice `BRIDGE_MM` joins them; not with voxels of 0 mm."""
    if not voxel_mm:
        return cc3d.connected_components(mask.astype(np.uint8), connectivity=6)
    core = ndimage.distance_transform_edt(mask) * voxel_mm > BRIDGE_MM
    parts = cc3d.connected_components(core.astype(np.uint8), connectivity=6)
    nearest = ndimage.distance_transform_edt(
        parts == 0, return_distances=False, return_indices=True
    )
    return np.where(mask, parts[tuple(nearest)], 0)


def canal_front(canal: np.ndarray) -> np.ndarray:
    """Return for each row (second axis of P-I-R) where the canal begins; between and beyond, as in the next rows."""
    rows = np.flatnonzero(canal.any((0, 2)))
    first = canal.any(2).argmax(0)
    return np.interp(np.arange(canal.shape[1]), rows, first[rows])


def is_cut(mask: Volume) -> bool:
    """Whether a mask reaches the border above, below, in front or behind; flanks may lie beyond the slices."""
    voxels = np.nonzero(reorient(mask).data)[:2]
    sizes = reorient(mask).data.shape[:2]
    return any(v.min() == 0 or v.max() == n - 1 for v, n in zip(voxels, sizes, strict=True))


def best_dice(mask: np.ndarray, truth: np.ndarray) -> float:
    """Return the Dice with the numbered structure that a mask overlaps most; 0 without any."""
    shared = np.bincount(truth[mask])
    shared[0] = 0
    if not shared.any():
        return 0.0
    other = truth == shared.argmax()
    return float(2 * shared.max() / (mask.sum() + other.sum()))


def report(rows: list[dict], kind: str) -> None:
    """Print correlations and risk-coverage curves of one kind of structure."""
    own = [row for row in rows if row["kind"] == kind]
    dice = np.array([row["dice"] for row in own])
    low = np.array([bool(row["low_agreement"]) for row in own])
    print(
        f"{kind}: {len(own)} of {len({r['scan_id'] for r in own})} scans, mean Dice {dice.mean():.3f}, "
        f"{100 * np.mean(dice < POOR):.0f} % below {POOR}; low_agreement: {low.sum()}, of which "
        f"{np.sum(low & (dice < POOR))} below; not flagged {np.sum(~low & (dice < POOR))} below"
    )
    for name in VALUES:
        values = np.array([np.nan if r[name] is None else r[name] for r in own], float)
        known = np.isfinite(values)
        if known.sum() < 3:
            continue
        print(
            f"  {name}: {known.sum()} values, Spearman {spearmanr(values[known], dice[known])[0]:.2f}, "
            f"within scans {within(own, values, dice):.2f}"
        )
        order = np.flatnonzero(known)[np.argsort(-values[known], kind="stable")]
        for coverage in COVERAGES:
            kept = order[: max(1, round(coverage * len(order)))]
            print(
                f"    best {100 * coverage:3.0f} % (from {values[kept].min():.3f}): "
                f"mean Dice {dice[kept].mean():.3f}, below {POOR}: {100 * np.mean(dice[kept] < POOR):.1f} %"
            )


def within(rows: list[dict], values: np.ndarray, dice: np.ndarray) -> float:
    """Return the mean correlation over scans with at least four structures that differ."""
    scans = np.array([row["scan_id"] for row in rows])
    found = []
    for scan in np.unique(scans):
        own = (scans == scan) & np.isfinite(values)
        if own.sum() >= 4 and np.ptp(values[own]) > 0 and np.ptp(dice[own]) > 0:
            found.append(spearmanr(values[own], dice[own])[0])
    return float(np.mean(found)) if found else float("nan")


def main(argv: list[str] | None = None) -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--bodies", action="store_true")
    parser.add_argument("--table", type=Path)
    args = parser.parse_args(argv)
    reference, masks = Reference(args.reference), args.reference if args.bodies else None
    rows: list[dict] = []
    for sidecar in sorted(args.output.glob("sub-*/**/anat/*_desc-vertebra_dseg.json")):
        rows += rows_of(sidecar, reference, masks)
        print(sidecar.name, file=sys.stderr, flush=True)
    if args.table:
        with open(args.table, "w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    for kind in ("vertebra", "disc"):
        report(rows, kind)
    return 0


if __name__ == "__main__":
    sys.exit(main())
