"""CPU seconds of everything around the networks, step by step, and a digest of what each step returns.

    .venv/bin/python benchmarks/speed/own_code.py BIDS_SCAN SUBREGIONS VERTEBRAE [--repeats 3] [--profile merge]

No network runs: true label maps of the scan (of a phantom, from its `derivatives/truth`) stand for the networks'
answers. Steps and settings are those of networks in the published formats (0.75 x 0.75 x 1.65 mm, cut-outs of
248 x 304 x 64 voxels), or with `--method none` those of the embedded ones. Two states of the code give the same results
when their digests are equal. One thread; the last line is `cpu_s=<sum of the medians>`.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import steps


def main(argv: list[str] | None = None) -> int:
    """Run all steps `repeats` times; print medians, spread and digests."""
    args = _arguments(argv)
    seconds: dict[str, list[float]] = {}
    digests: dict[str, str] = {}
    for _ in range(args.repeats):
        with tempfile.TemporaryDirectory() as folder:
            _once(args, Path(folder), seconds, digests)
    for name, values in seconds.items():
        spread = f"{min(values):.2f} to {max(values):.2f}"
        print(f"{name:12} {statistics.median(values):7.2f} s ({spread})  {digests[name]}")
    print(f"cpu_s={sum(statistics.median(values) for values in seconds.values()):.2f}")
    return 0


def _once(args, folder: Path, seconds, digests) -> None:
    known: dict[str, Any] = {"scan": args.scan, "truth": (args.subregions, args.vertebrae)}
    for name, step in steps.of(args.method).items():
        result, spent = _timed(lambda step=step: step(known, folder), name == args.profile)
        if name not in steps.UNTIMED:
            seconds.setdefault(name, []).append(spent)
            digests[name] = digest(result)
        known[name] = result


def _timed(work: Callable[[], Any], profiled: bool) -> tuple[Any, float]:
    profiler = cProfile.Profile()
    started = time.process_time()
    result = profiler.runcall(work) if profiled else work()
    spent = time.process_time() - started
    if profiled:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(25)
    return result, spent


def digest(result: Any) -> str:
    """Return a short hash over all arrays, numbers and texts in a result."""
    found = hashlib.sha256()
    for part in _parts(result):
        found.update(part)
    return found.hexdigest()[:12]


def _parts(value: Any):
    if isinstance(value, np.ndarray):
        yield f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
    elif isinstance(value, dict):
        for key in value:
            yield from _parts(key)
            yield from _parts(value[key])
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _parts(entry)
    elif hasattr(value, "__dict__"):
        yield from _parts(vars(value))
    elif not isinstance(value, Path):
        yield repr(value).encode()


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scan", type=Path)
    parser.add_argument("subregions", type=Path, help="true map, on the scan's grid")
    parser.add_argument("vertebrae", type=Path, help="true map, on the scan's grid")
    parser.add_argument("--method", choices=("published", "none"), default="published")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", help="name of a step to look into")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
