"""Both networks against their floor: Wirbel's path for one scan, and the bare network on the same tiles back to back.

    .venv/bin/python benchmarks/speed/floor.py SCAN [SCAN ...] [--semantic MODEL] [--instance MODEL] [--engine torch]
        [--threads 1] [--repeats 3]

The path begins with the normalised image (or the cut-outs) and ends with labels and margins: tiles, weights, sums,
classes, one-hot inputs. Both run in turns in one process; CPU seconds, as other work on the machine stretches wall
seconds. Prints medians and spread; the last line is `floor_ratio=<the largest median ratio>`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial

import networks
import torch

from wirbel.learning.instance.instance_model import InstanceModel
from wirbel.learning.instance.instance_network import one_hot
from wirbel.learning.precision import memory_format, quick_arithmetic
from wirbel.learning.semantic.semantic_model import SemanticModel


def main(argv: list[str] | None = None) -> int:
    """Measure both networks on every scan."""
    args = _arguments(argv)
    semantic, instance = networks.load(args, args.engine)
    ratios = []
    for path in args.scans:
        given = networks.inputs(path, args, semantic)
        tiles = tiles_of(semantic, given.normalised.data)
        hot = hot_inputs(instance, given.cutouts)
        cases = {
            "semantic": (
                partial(semantic.segment_with_margins, given.normalised, given.shape),
                partial(run_bare, semantic, tiles),
            ),
            "instance": (
                partial(instance.predict, given.cutouts),
                partial(run_bare, instance, hot),
            ),
        }
        for name, (whole, bare) in cases.items():
            ratios.append(_compare(f"{path.name} {name}", whole, bare, args.repeats))
    print(f"floor_ratio={max(ratios):.3f}")
    return 0


def _compare(name: str, whole: Callable, bare: Callable, repeats: int) -> float:
    seconds: list[tuple[float, float]] = []
    for _ in range(repeats + 1):
        seconds.append((_timed(bare), _timed(whole)))
    pairs = seconds[1:]  # the first one warms up
    ratios = [ours / floor for floor, ours in pairs]
    floor_s, whole_s = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"{name}: {whole_s:.2f} s of CPU, bare network {floor_s:.2f} s, ratio {statistics.median(ratios):.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f})",
        flush=True,
    )
    return statistics.median(ratios)


def _timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def tiles_of(model: SemanticModel, data: torch.Tensor) -> list[torch.Tensor]:
    """Return the tiles of an image that the network sees, shape (1, 1, x, y, z) each."""
    seen: list[torch.Tensor] = []

    def remember(tile: torch.Tensor) -> torch.Tensor:
        seen.append(tile.clone())
        return torch.zeros(1, model.plans.heads, *tile.shape[2:])

    model.window.scores(remember, data)
    return seen


def hot_inputs(model: InstanceModel, cutouts) -> list[torch.Tensor]:
    """Return cut-outs as the instance network sees them, shape (1, channels, P, I, R) each."""
    layout = memory_format(model.device, model.single_precision)
    found = (
        one_hot(torch.from_numpy(cutout[None]), model.config.mapping, model.channels)
        for cutout in cutouts
    )
    return [hot.contiguous(memory_format=layout) for hot in found]


def run_bare(model: SemanticModel | InstanceModel, tiles: Iterable[torch.Tensor]) -> None:
    """Run the network on all tiles, in as many threads as the path does."""
    window = model.window if isinstance(model, SemanticModel) else model
    pool = window.pool

    @torch.inference_mode()
    def compute(tile: torch.Tensor) -> None:
        with quick_arithmetic(window.device, window.single_precision):
            model.engine.forward(tile)

    for _ in map(compute, tiles) if pool is None else pool.map(compute, tiles):
        pass


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = networks.parser(__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("torch", "openvino"), default="torch")
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
