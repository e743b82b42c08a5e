"""SPINEPS' half of the case `labelling` of `make parity`; runs in the environment where SPINEPS is installed.

    PYTHON -m parity.labelling_spineps scans TASK.json
    PYTHON -m parity.labelling_spineps paths HEADS.npz NAMES.json

`scans` runs SPINEPS' own `segment_image` once per scan and labelling network; what its first two networks answer is
remembered between. Beside its maps it writes, per vertebra, the network's input and the probabilities of every head.
`paths` puts given probabilities through its search for a sequence of levels.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from spineps import phase_labeling, seg_run
from spineps.lab_model import VertLabelingClassifier
from spineps.seg_model import SegmentationModelNNunet
from TPTBox import BIDS_FILE

from parity.spineps_side import PluggedModel


def remembered(name: str) -> dict:
    """Let a step of `seg_run` be computed once; return its memory, which is to be cleared for the next scan."""
    own, memory = getattr(seg_run, name), {}

    def wrapped(*args, **kwargs):
        if "answer" not in memory:
            memory["answer"] = own(*args, **kwargs)
        return tuple(part.copy() if hasattr(part, "copy") else part for part in memory["answer"])

    setattr(seg_run, name, wrapped)
    return memory


def heard(seen: dict) -> None:
    """Note what the search for a sequence is given, before it changes it, and what it finds."""
    own = phase_labeling.find_vert_path_from_predictions

    def wrapped(*args, **kwargs):
        answers = [entry["soft"] for entry in kwargs["predictions"].values()]
        seen["numbers"] = np.array(list(kwargs["predictions"]))
        for head in answers[0]:
            seen[f"head-{head}"] = np.stack([answer[head] for answer in answers])
        found = own(*args, **kwargs)
        seen["names"] = np.array(found[2])
        return found

    phase_labeling.find_vert_path_from_predictions = wrapped


def listened(model, inputs: list):
    """Note what the network is shown."""
    own = model.predictor.forward

    def wrapped(batch):
        inputs.append(batch[0, 0].numpy().copy())
        return own(batch)

    model.predictor.forward = wrapped
    return model


def scans(task: dict) -> None:
    """Run every labelling network on every scan."""
    torch.set_num_threads(task["threads"])
    memories = [remembered(name) for name in ("predict_semantic_mask", "predict_instance_mask")]
    inputs, seen = [], {}
    heard(seen)
    quiet = {"use_cpu": True, "default_allow_tqdm": False}
    semantic = SegmentationModelNNunet(task["semantic"], **quiet).load()
    instance = PluggedModel(task["instance"], **quiet).load()
    torch.set_num_threads(task["threads"])
    for scan, path in task["scans"].items():
        for memory in memories:
            memory.clear()
        for variant, folder in task["labelling"].items():
            inputs.clear()
            seen.clear()
            model = listened(VertLabelingClassifier(folder, **quiet).load(), inputs)
            out = seg_run.segment_image(
                BIDS_FILE(path, dataset=str(Path(path).parents[2])),
                semantic,
                instance,
                model,
                proc_sem_n4_bias_correction=task["n4"],
                proc_inst_batch_size=1,
                return_output_instead_of_save=True,
                ignore_bids_filter=True,
                ignore_compatibility_issues=True,
            )
            if not seen:
                print(f"{scan}, {variant}: {out[-1]}")
                continue
            stem = f"{task['out']}/{scan}_{variant}"
            for kind, nii in zip(("subregion", "vertebra"), out[:2], strict=True):
                nii.save(f"{stem}_{kind}.nii.gz", verbose=False)
            np.savez_compressed(f"{stem}_answers.npz", inputs=np.stack(inputs), **seen)


def paths(given: str, target: str) -> None:
    """Name the vertebrae of every given set of probabilities (`case/head` -> vertebrae, classes).

    Names of cases with `-c1` allow for C1, those that end in `-axis1` know that the second vertebra is C2.
    """
    cases: dict[str, dict[str, np.ndarray]] = {}
    for name, values in np.load(given).items():
        case, head = name.split("/")
        cases.setdefault(case, {})[head] = values
    found = {}
    for case, heads in cases.items():
        rows = range(len(next(iter(heads.values()))))
        told = {row: {"soft": {head: heads[head][row].copy() for head in heads}} for row in rows}
        axis = int(case.partition("-axis")[2] or -1)
        known = {
            "disable_c1": "-c1" not in case,
            "force_c2_instance": axis if axis >= 0 else None,
            "force_c1_instance": axis - 1 if axis >= 1 else None,
        }
        try:
            names = phase_labeling.find_vert_path_from_predictions(told, **known)[2]
            found[case] = [int(name) for name in names]
        except Exception as error:  # what it does where nothing fits is told, too
            found[case] = f"{type(error).__name__}: {error}"
    Path(target).write_text(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1] == "scans":
        scans(json.loads(Path(sys.argv[2]).read_text()))
    else:
        paths(*sys.argv[2:])
