"""SPINEPS' half of `make parity`: runs in an environment of its own, where SPINEPS is installed.

Reads one JSON file with what to do, segments every scan through SPINEPS' own `segment_image`, and writes its maps and a
JSON file with the seconds and the peak memory after each stage.
"""

from __future__ import annotations

import importlib.metadata
import json
import resource
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from spineps import seg_run
from spineps.seg_enums import OutputType
from spineps.seg_model import SegmentationModelNNunet, SegmentationModelUnet3D
from TPTBox import BIDS_FILE

from parity.stand_in import by_distance

STAGES = {
    "preprocess_input": "resample",
    "predict_semantic_mask": "semantic",
    "predict_instance_mask": "instance",
    "phase_postprocess_combined": "merge",
}


class PluggedModel(SegmentationModelUnet3D):
    """SPINEPS' instance model with a compiled network, for weights that its architecture cannot hold.

    Cut-outs, one-hot input, merging and everything else stay its own.
    """

    def load(self, folds=None):
        self.device = torch.device("cpu")
        plugged = json.loads((Path(self.model_folder) / "plugged.json").read_text())
        network = torch.jit.load(str(Path(self.model_folder) / "network.pt"), map_location="cpu")
        self.predictor = _Callable(network, plugged["channels"])
        return self


class _Channels:
    def __init__(self, channels: int) -> None:
        self.channels = channels


class _Callable:
    """What `run_batch` asks for: `network.channels`, `forward`."""

    def __init__(self, network, channels: int) -> None:
        self._network, self.network = network, _Channels(channels)

    def forward(self, batch):
        return self._network(batch)


def answer_with(semantic, path: str) -> None:
    """Let the semantic model answer with the classes in a file, whatever image it is given."""
    classes = np.asarray(nib.load(path).dataobj)

    def run(input_nii, verbose=False):
        return {
            OutputType.seg: input_nii[0].set_array(classes, seg=True),
            OutputType.softmax_logits: None,
        }

    semantic.run = run


def timed(name: str, stage: str, log: list) -> None:
    """Wrap a function of SPINEPS so that its time and the memory so far are noted."""
    own = getattr(seg_run, name)

    def wrapped(*args, **kwargs):
        started = time.perf_counter()
        try:
            return own(*args, **kwargs)
        finally:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            log.append({"stage": stage, "s": time.perf_counter() - started, "peak_mb": peak})

    setattr(seg_run, name, wrapped)


def main(task_file: str) -> None:
    """Do what the task says."""
    task = json.loads(Path(task_file).read_text())
    torch.set_num_threads(task["threads"])
    log: list = []
    for name, stage in STAGES.items():
        timed(name, stage, log)
    kind = (
        PluggedModel if Path(task["instance"], "plugged.json").exists() else SegmentationModelUnet3D
    )
    semantic = SegmentationModelNNunet(
        task["semantic"], use_cpu=True, default_allow_tqdm=False
    ).load()
    torch.set_num_threads(task["threads"])
    instance = kind(task["instance"], use_cpu=True, default_allow_tqdm=False).load()
    versions = {name: importlib.metadata.version(name) for name in ("spineps", "TPTBox", "torch")}
    answers, done = task.get("answers", {}), {}
    if answers:
        instance.predictor._network = by_distance
    for scan, path in task["scans"].items():
        log.clear()
        if answers:
            answer_with(semantic, answers[scan])
        started = time.perf_counter()
        out = seg_run.segment_image(
            BIDS_FILE(path, dataset=str(Path(path).parents[2])),
            semantic,
            instance,
            proc_sem_n4_bias_correction=task["n4"],
            proc_inst_batch_size=1,
            return_output_instead_of_save=True,
            ignore_bids_filter=True,
            ignore_compatibility_issues=True,
        )
        seconds = time.perf_counter() - started
        if len(out) == 4:
            subregion, vertebra, _, _ = out
            for kind_, nii in (("subregion", subregion), ("vertebra", vertebra)):
                nii.save(Path(task["out"]) / f"{scan}_{kind_}.nii.gz", verbose=False)
        done[scan] = {"seconds": seconds, "stages": list(log), "result": str(out[-1])}
        Path(task["out"], "log.json").write_text(json.dumps({"versions": versions, "scans": done}))


if __name__ == "__main__":
    main(sys.argv[1])
