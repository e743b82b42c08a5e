"""OpenVINO against torch on a processor: CPU seconds of both networks, and how far the labels are apart.

    .venv/bin/python benchmarks/speed/engines.py SCAN [SCAN ...] [--semantic MODEL] [--instance MODEL]

Every scan goes through preparation, semantic network, cleaning, cut-outs and instance network; what torch finds in the
first phase is given to both instance networks. Prints for each network both times, their ratio, the voxels that differ
and the lowest Dice of a label. Last line: `engine_ratio=<the largest> dice=<the lowest>`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networks
import numpy as np

from wirbel.core.method.names import OPENVINO, TORCH


def main(argv: list[str] | None = None) -> int:
    """Compare both engines on every scan."""
    args = networks.parser(__doc__.splitlines()[0]).parse_args(argv)
    ratios, dice = [], []
    for path in args.scans:
        for name, pair in _both(path, args).items():
            (by_torch, torch_s), (found, openvino_s) = pair
            ratios.append(openvino_s / torch_s)
            dice.append(lowest_dice(by_torch, found))
            print(
                f"{path.name} {name}: torch {torch_s:.2f} s, OpenVINO {openvino_s:.2f} s of CPU, "
                f"ratio {ratios[-1]:.2f}; {int((by_torch != found).sum())} of {found.size} voxels differ, "
                f"lowest Dice {dice[-1]:.5f}",
                flush=True,
            )
    print(f"engine_ratio={max(ratios):.3f} dice={min(dice):.5f}")
    return 0


def lowest_dice(first: np.ndarray, second: np.ndarray) -> float:
    """Return the lowest Dice of any label that either map has."""
    labels = [label for label in np.union1d(first, second) if label]
    pairs = [(first == label, second == label) for label in labels]
    return min((2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in pairs), default=1.0)


def _both(path: Path, args) -> dict[str, list[tuple[np.ndarray, float]]]:
    """Return what each network answered to torch's inputs, and its seconds: with torch, with OpenVINO."""
    loaded = [networks.load(args, engine) for engine in (TORCH, OPENVINO)]
    given = networks.inputs(path, args, loaded[0][0])
    return {
        "semantic": [
            _timed(lambda model=model: model.segment(given.normalised, given.shape))
            for model, _ in loaded
        ],
        "instance": [
            _timed(lambda model=model: model.predict(given.cutouts)) for _, model in loaded
        ],
    }


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    return work(), time.process_time() - started


if __name__ == "__main__":
    sys.exit(main())
