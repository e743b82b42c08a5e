"""What agreement and margins cost beside their stages, in CPU seconds of one scan.

    python benchmarks/agreement_cost.py OUT SCAN_ID MODEL_FOLDER

OUT is an output folder with kept intermediate results (keep_intermediates=true), MODEL_FOLDER the semantic network's.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from wirbel.core.agreement.margins import mean_margins
from wirbel.core.agreement.votes import agreement_of_votes
from wirbel.core.instances.predicted_vertebrae import Predictions
from wirbel.core.merging.both_maps import merge
from wirbel.core.resampling import on_spacing
from wirbel.io.nifti.volumes import QUICKEST, read_volume, write_volume
from wirbel.io.sidecars import read_arrays
from wirbel.learning.semantic.margins import classes_and_margins
from wirbel.learning.semantic.semantic_model import SemanticModel


def timed(name: str, act: Callable[[], Any]) -> Any:
    """Run something and print its CPU seconds."""
    start = time.process_time()
    found = act()
    print(f"{name}: {time.process_time() - start:.2f} s")
    return found


def main(output: Path, scan_id: str, model: Path) -> None:
    """Print the costs."""
    torch.set_num_threads(1)
    work = output / "work"
    image = read_volume(work / "resample" / f"{scan_id}_image.nii.gz")
    network = SemanticModel(model, "cpu", 1)
    given = network.normalise(image.data, tuple(image.spacing_mm))
    scores = timed("semantic: the network", lambda: network._scores(given.data))
    timed("semantic: class alone", lambda: scores.argmax(0).to(torch.uint8))
    timed("semantic: class and margin", lambda: classes_and_margins(scores, 1))
    margin = read_volume(work / "semantic" / f"{scan_id}_margin.nii.gz")
    path = output / "margin_of_benchmark.nii.gz"
    timed("semantic: writing margins", lambda: write_volume(path, margin, level=QUICKEST))
    print(f"semantic: {path.stat().st_size / 1000:.0f} kB")
    path.unlink()
    arrays = read_arrays(work / "instance" / f"{scan_id}_predictions.npz")
    predictions = Predictions(arrays["labels"], arrays["origin"], arrays["centre_mm"])
    labels = read_volume(work / "semantic" / f"{scan_id}_subregion.nii.gz")
    labels = on_spacing(labels, tuple(map(float, arrays["spacing_mm"])))
    final = next(output.rglob(f"{scan_id}_desc-vertebra_dseg.nii.gz"))
    found = timed("merge: merging", lambda: merge(labels, predictions, read_volume(final).grid))
    timed("merge: votes", lambda: agreement_of_votes(labels, predictions, found.vertebra))
    timed("merge: margins", lambda: mean_margins(margin, found.vertebra, found.subregion))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
