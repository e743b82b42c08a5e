"""Hold the metrics of an evaluation against panoptica's, on vertebrae of phantoms with mistakes.

    python -m venv /tmp/panoptica && /tmp/panoptica/bin/pip install panoptica
    .venv/bin/python benchmarks/panoptica_metrics.py --panoptica-python /tmp/panoptica/bin/python

panoptica cannot be installed beside Wirbel (it needs connected-components-3d below 4), hence an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SEEDS = range(81001, 81006)
SAME = {
    "tp": "tp",
    "fp": "fp",
    "fn": "fn",
    "rq": "rq",
    "sq": "sq",
    "pq": "pq",
    "sq_dice": "sq_dsc",
    "pq_dice": "pq_dsc",
    "sq_assd_mm": "sq_assd",
    "hd95_mm": "sq_hd95",
    "nsd": "sq_nsd",
}
"""Ours -> panoptica's; the last two are means over matched instances as well."""


def theirs(path: str) -> None:
    """Print panoptica's figures of the pairs in a file; runs in its environment."""
    from panoptica import InputType, NaiveThresholdMatching, Panoptica_Evaluator
    from panoptica.metrics import Metric

    evaluator = Panoptica_Evaluator(
        expected_input=InputType.UNMATCHED_INSTANCE,
        instance_matcher=NaiveThresholdMatching(Metric.IOU, 0.5),
        instance_metrics=[Metric.DSC, Metric.IOU, Metric.ASSD, Metric.HD95, Metric.NSD],
        decision_metric=Metric.IOU,
        decision_threshold=0.5,
    )
    found = []
    with np.load(path) as pairs:
        for name in sorted({key.rsplit("_", 1)[0] for key in pairs}):
            maps = (pairs[f"{name}_{which}"].astype(np.uint16) for which in ("mine", "true"))
            spacing = tuple(map(float, pairs[f"{name}_mm"]))
            result = evaluator.evaluate(*maps, voxelspacing=spacing)["ungrouped"].to_dict()
            found.append({ours: float(result[name]) for ours, name in SAME.items()})
    print("FIGURES " + json.dumps(found))


def pair(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (reference, prediction, spacing): vertebrae shifted, eroded, merged, missing and invented."""
    from scipy import ndimage

    from wirbel.core.evaluation.metrics.panoptic import only
    from wirbel.phantom import make_phantom

    rng = np.random.default_rng(seed)
    phantom = make_phantom(seed, "lumbar", in_plane_mm=1.0, slice_mm=3.5, with_truth=False)
    true = only("vertebra", phantom.vertebra.data)
    found = np.zeros_like(true)
    labels = np.unique(true[true > 0])
    within = [axis for axis in range(3) if phantom.vertebra.spacing_mm[axis] < 2]
    for label in labels:
        mask = np.roll(true == label, tuple(rng.integers(-2, 3, len(within))), within)
        mask = ndimage.binary_dilation(mask) if rng.random() < 0.4 else mask
        if rng.random() > 0.15:
            found[mask] = label + 1 if rng.random() < 0.15 else label
    place = tuple(int(n * 0.8) for n in true.shape)
    found[tuple(slice(p - 2, p) for p in place)] = 60
    return true, found, phantom.vertebra.spacing_mm


def main() -> int:
    """Print the largest difference of every metric."""
    from wirbel.core.evaluation.metrics.panoptic import panoptic_quality

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panoptica-python", required=True)
    args = parser.parse_args()
    pairs = {seed: pair(seed) for seed in SEEDS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pairs.npz")
        named = {
            f"{seed}_{what}": array
            for seed, arrays in pairs.items()
            for what, array in zip(("true", "mine", "mm"), arrays, strict=True)
        }
        np.savez_compressed(path, **named)
        command = [args.panoptica_python, __file__, "--inside", str(path)]
        alone = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        said = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, env=alone
        ).stdout
    others = json.loads(
        next(line for line in said.splitlines() if "FIGURES" in line).split(" ", 1)[1]
    )
    worst = dict.fromkeys(SAME, 0.0)
    for (true, found, mm), other in zip(pairs.values(), others, strict=True):
        mine = panoptic_quality(true, found, mm, tolerance_mm=float(min(mm)))
        for name in ("hd95_mm", "nsd"):
            mine[name] = float(np.mean([one[name] for one in mine["pairs"]]))
        print({name: (round(mine[name], 4), round(other[name], 4)) for name in SAME})
        worst = {name: max(worst[name], abs(mine[name] - other[name])) for name in SAME}
    for name, difference in worst.items():
        print(f"{name:<12} largest difference {difference:.2g}")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        theirs(sys.argv[2])
    else:
        raise SystemExit(main())
