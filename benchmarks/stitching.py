"""How well stations are put together: phantoms of whole spines, cut into three with known shifts, tilts and gains.

Prints one line for each seam, with the error of the shift that was found, and the largest errors at the end.
Run: python benchmarks/stitching.py --seeds 1 2 3 4
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from wirbel.core.stitching.stations import stitched
from wirbel.phantom import make_phantom
from wirbel.phantom.imaging.stations import cut_stations

WAYS = ("right", "front", "up")


def errors_of(seed: int) -> list[tuple[float, ...]]:
    """Return (right, front, up) errors in mm and the ratio of gains, of both seams; print them."""
    image = make_phantom(seed, region="whole", with_truth=False).image
    stations = {station.name: station for station in cut_stations(image, seed)}
    began = time.process_time()
    result = stitched({name: station.volume for name, station in stations.items()})
    seconds = time.process_time() - began
    found = []
    for seam, moved in zip(result.seams, (stations["neck"], stations["lumbar"]), strict=True):
        shift = [getattr(seam, f"shift_{way}_mm") for way in WAYS]
        wrong = np.array(shift) + np.array(moved.shift_mm)
        found.append((*wrong.tolist(), seam.intensity_ratio * moved.gain))
        print(
            f"seed {seed} {seam.upper}/{seam.lower}: planted {moved.shift_mm} mm, {moved.tilt_deg:.1f} deg; error "
            f"{', '.join(f'{e:+.3f}' for e in wrong)} mm; gain off by {100 * found[-1][3] - 100:+.1f} %; correlation "
            f"{seam.correlation_before:.3f} -> {seam.correlation:.3f}; {seconds:.0f} s of a processor",
            flush=True,
        )
    return found


def main() -> None:
    """Measure the seams of some phantoms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    args = parser.parse_args()
    found = np.array([error for seed in args.seeds for error in errors_of(seed)])
    worst = np.abs(found[:, :3]).max(axis=0)
    told = ", ".join(f"{way} {e:.3f}" for way, e in zip(WAYS, worst, strict=True))
    length = np.linalg.norm(found[:, :3], axis=1)
    print(
        f"{len(found)} seams: largest errors {told} mm; length: median {np.median(length):.3f}, largest "
        f"{length.max():.3f} mm"
    )


if __name__ == "__main__":
    main()
