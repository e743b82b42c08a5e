"""Damaged DICOM files through the conversion: what comes of each, and how long the longest takes.

Every delivery is a series of single slices, or one enhanced file, of which one file was changed in one of six ways. An
error without a reason is a crash. Of a file that was replaced by something else, nothing must be accepted; what is
accepted of others must have the shape of the series, but for slices that were left out at its ends. Exit code 1 if not.
Run: nice .venv/bin/python benchmarks/mutated_dicom.py --count 1000
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.deliveries.series import enhanced, series, volume  # noqa: E402

from wirbel.errors import ScanError  # noqa: E402
from wirbel.ingest.delivery import convert  # noqa: E402
from wirbel.plan.series_rules import SeriesRules  # noqa: E402

SLICES = 6
HEADER_BYTES = 1500
LONGEST_SECONDS = 60.0
ANY = SeriesRules(orientation="any")


def bytes_of_header(content: bytearray, rng: random.Random) -> bytes:
    """Change one to twenty bytes of the header."""
    for _ in range(rng.randrange(1, 21)):
        content[rng.randrange(132, min(HEADER_BYTES, len(content)))] = rng.randrange(256)
    return bytes(content)


def bytes_anywhere(content: bytearray, rng: random.Random) -> bytes:
    """Change bytes anywhere, the first ones as well."""
    for _ in range(rng.randrange(1, 200)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def cut_short(content: bytearray, rng: random.Random) -> bytes:
    """Cut the file at a random place."""
    return bytes(content[: rng.randrange(len(content))])


def block_moved(content: bytearray, rng: random.Random) -> bytes:
    """Move a block to another place."""
    length, at = rng.randrange(2, 400), rng.randrange(132, len(content) - 400)
    block = content[at : at + length]
    del content[at : at + length]
    to = rng.randrange(132, len(content))
    return bytes(content[:to] + block + content[to:])


def noise(content: bytearray, rng: random.Random) -> bytes:
    """Replace all but the magic word by noise."""
    return bytes(128) + b"DICM" + rng.randbytes(len(content))


def text(content: bytearray, rng: random.Random) -> bytes:
    """Replace the file by a message."""
    return b"The archive could not be read: " * rng.randrange(1, 500)


WAYS: dict[Callable[[bytearray, random.Random], bytes], bool] = {
    **dict.fromkeys((bytes_of_header, bytes_anywhere, cut_short, block_moved), False),
    **dict.fromkeys((noise, text), True),
}
"""Way -> whether nothing of the file is left."""


def outcome(path: Path, shape: tuple[int, ...], replaced: bool) -> str:
    """Return what came of a delivery; "crash" or "wrong" where that is a fault of ours."""
    try:
        found = convert([path], ANY).volume.data.shape
    except ScanError as error:
        return error.reason
    except Exception as error:
        print(f"crash: {type(error).__name__}: {error}")
        return "crash"
    sizes, whole = sorted(found), sorted(shape)
    if found == shape and not (replaced and path.is_file()):
        return "accepted"
    if path.is_dir() and sizes[1:] == whole[1:] and sizes[0] == whole[0] - 1:
        return "accepted without a slice"
    print(f"wrong: accepted with shape {found}")
    return "wrong"


def main() -> int:
    """Damage, convert, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng, counted, longest = random.Random(args.seed), Counter[str](), 0.0
    ways = list(WAYS)
    with TemporaryDirectory() as name:
        folder, many = series(Path(name, "a"), image=volume(SLICES)), Path(name, "many.dcm")
        enhanced(many, image=volume(SLICES))
        paths = [*sorted(folder.glob("*.dcm")), many]
        whole = {path: path.read_bytes() for path in paths}
        shape = convert([folder], ANY).volume.data.shape
        for number in range(args.count):
            way, path = ways[number % len(ways)], rng.choice([rng.choice(paths), many])
            path.write_bytes(way(bytearray(whole[path]), rng))
            began = time.monotonic()
            told = outcome(many if path == many else folder, shape, WAYS[way])
            longest = max(longest, time.monotonic() - began)
            counted[f"{way.__name__}: {told}"] += 1
            path.write_bytes(whole[path])
    print("\n".join(f"{number:5} {name}" for name, number in sorted(counted.items())))
    faults = sum(n for name, n in counted.items() if name.endswith((": crash", ": wrong")))
    print(f"{args.count} deliveries, {faults} faults; the longest took {longest:.1f} s")
    return int(faults > 0 or longest > LONGEST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
