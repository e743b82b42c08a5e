"""How good fused annotations are: phantoms, three sources with known errors of their own in each structure.

    nice .venv/bin/python benchmarks/fusion.py --seeds 92001 92002 92003 92004 92005 92006

Prints the mean Dice of every structure: sources, plain majority, and the ways to fuse; the share of wrong voxels that
the disagreement map shows; and how much is ignored. About a minute per seed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.spines.faulty_sources import cropped_phantom, faulty_sources  # noqa: E402

from wirbel.core.evaluation.metrics.overlap import STRUCTURES, dice  # noqa: E402
from wirbel.core.fusion.combining import Ways  # noqa: E402
from wirbel.core.fusion.fuse import IGNORE, fuse  # noqa: E402
from wirbel.core.labels import BODY, BODY_BORDER  # noqa: E402

MAJORITY = "majority"
WAYS = {MAJORITY: "vote", "staple": "staple"}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[92001, 92002])
    args = parser.parse_args()
    scores: dict[tuple[str, str], list[float]] = {}
    shown, ignored, wrong_left = [], [], []
    for seed in args.seeds:
        subregion, vertebra = cropped_phantom(seed)
        sources = faulty_sources(subregion, vertebra, seed)
        maps = {source.name: source.numbers.data for source in sources}
        for name, method in WAYS.items():
            fused = fuse(sources, subregion.grid, Ways(method))
            maps[name] = fused.subregion.data
        wrong = one_body(subregion.data) != one_body(fused.subregion.data)
        shown.append(float((fused.disagreement.data[wrong] > 0).mean()))
        left = fused.training.data == IGNORE
        ignored.append(float((left & (subregion.data > 0)).sum() / (subregion.data > 0).sum()))
        wrong_left.append(float((wrong & ~left).sum() / wrong.sum()))
        for structure, labels in STRUCTURES.items():
            for name, data in maps.items():
                value = dice(np.isin(subregion.data, labels), np.isin(data, labels))
                if value is not None:
                    scores.setdefault((structure, name), []).append(value)
        print(f"seed {seed} done", flush=True)
    names = [source.name for source in sources] + list(WAYS)
    tell(scores, names)
    print(
        f"wrong voxels that the disagreement map shows: {np.mean(shown):.3f} (least {min(shown):.3f})"
    )
    print(
        f"of all structures ignored: {np.mean(ignored):.3f}; wrong voxels not ignored: {np.mean(wrong_left):.3f}"
    )
    return 0


def tell(scores: dict[tuple[str, str], list[float]], names: list[str]) -> None:
    """Print the mean Dice of every structure, and marks where a source is better than the fused map."""
    print(f"{'':<34}" + " ".join(f"{name:>9}" for name in names))
    for structure in STRUCTURES:
        if (structure, names[0]) not in scores:
            continue
        means = [float(np.mean(scores[structure, name])) for name in names]
        worse = "" if means[-1] > max(means[: -len(WAYS)]) else "  a source is better"
        print(f"{structure:<34}" + " ".join(f"{value:9.4f}" for value in means) + worse)
    overall = [
        np.mean([v for (_, n), vs in scores.items() if n == name for v in vs]) for name in names
    ]
    print(f"{'mean':<34}" + " ".join(f"{value:9.4f}" for value in overall))


def one_body(labels: np.ndarray) -> np.ndarray:
    """Return a subregion map in which both labels of the body are one."""
    return np.where(labels == BODY, BODY_BORDER, labels)


if __name__ == "__main__":
    raise SystemExit(main())
