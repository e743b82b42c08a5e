"""How long `wirbel inventory` takes for zipped DICOM series, in seconds of wall clock and of processors.

Writes COUNT zip files of SLICES slices with headers as long as a scanner's (a block of PRIVATE bytes in each), looks
into all of them with the command, and scales to 90,000. The archives are small because pixels are few: the inventory
does not read pixels.
Run: nice .venv/bin/python benchmarks/inventory.py --count 3000 --folder /tmp/deliveries
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.ingest.writing import SeriesInfo, write_series

PRIVATE_BYTES = 12_000
"""Of private elements in a header: Siemens writes 5 to 120 kB, most of it compressible."""
WHOLE = 90_000
STATIONS = ("HWS", "BWS", "LWS")
PIXELS = (64, 128)


def slices_of(
    description: str, count: int, private_bytes: int, folder: Path
) -> tuple[list[bytes], bytes]:
    """Return the files of a series, and the UID of the series in them."""
    from pydicom import dcmread

    rng = np.random.default_rng(0)
    data = rng.integers(0, 200, (*PIXELS, count)).astype(np.int16)
    affine = np.array([[0, 0, 3.3, -30], [-1.0, 0, 0, 40], [0, -1.0, 0, 300], [0, 0, 0, 1.0]])
    words = "".join(rng.choice(list("ABCDEFGH0123456789 =")) for _ in range(private_bytes))
    private = {(0x0029, 0x10): words}
    paths = write_series(folder, Volume(data, affine), SeriesInfo(description, private=private))
    uid = str(dcmread(paths[0], stop_before_pixels=True).SeriesInstanceUID)
    return [path.read_bytes() for path in paths], uid.encode()


def deliver(folder: Path, count: int, slices: int, private_bytes: int) -> Path:
    """Write the archives and their table; every archive has UIDs of its own."""
    rows = ["participant_id\tsession_id\tpath"]
    made = {}
    for station in STATIONS:
        with TemporaryDirectory() as place:
            made[station] = slices_of(f"T2_TSE_SAG_{station}", slices, private_bytes, Path(place))
    for number in range(count):
        station = STATIONS[number % len(STATIONS)]
        files, uid = made[station]
        path = folder / f"{number // 1000:03}" / f"{number:06}.zip"
        path.parent.mkdir(exist_ok=True)
        other = b"%0*d" % (len(uid) - 2, number)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for place, content in enumerate(files):
                own = content.replace(uid, b"2." + other)
                own = own.replace(
                    content_uid(content),
                    b"2.%0*d" % (len(content_uid(content)) - 2, 1000 * number + place),
                )
                archive.writestr(f"{place:04}.dcm", own)
        rows.append(f"{number // len(STATIONS):05}\t\t{path.relative_to(folder)}")
    table = folder / "scans.tsv"
    table.write_text("\n".join(rows) + "\n")
    return table


def content_uid(content: bytes) -> bytes:
    """Return the UID of a file's image, as its first element of that name has it (0002,0003)."""
    at = content.index(b"\x02\x00\x03\x00UI") + 6
    length = int.from_bytes(content[at : at + 2], "little")
    return content[at + 2 : at + 2 + length].rstrip(b"\0")


def main() -> None:
    """Write, look, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--slices", type=int, default=20)
    parser.add_argument("--private", type=int, default=PRIVATE_BYTES)
    parser.add_argument(
        "--folder", type=Path, help="where to keep the archives. Default: a temporary one"
    )
    args = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        table = folder / "scans.tsv"
        if not table.exists():
            deliver(folder, args.count, args.slices, args.private)
        line = [sys.executable, "-m", "wirbel", "inventory", f"scans={table}", "dicom=true"]
        line += [
            "stations={neck: {description: HWS}, chest: {description: BWS}, low: {description: LWS}}"
        ]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(line, capture_output=True, text=True, check=True)
        wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(done.stdout.splitlines()[0])
    told = f"{args.count} archives of {args.slices} slices: {wall:.0f} s, {cpu:.0f} s of processors"
    each = 1000 * cpu / args.count
    print(f"{told}, {each:.1f} ms each; {WHOLE:,}: {WHOLE * each / 60e3:.1f} min of one processor")


if __name__ == "__main__":
    main()
