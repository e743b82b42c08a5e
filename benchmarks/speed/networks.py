"""Loading both networks and preparing a scan for them, for the benchmarks of networks."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.method.arithmetic import arithmetic
from wirbel.core.method.clean import clean
from wirbel.core.method.cut_out import cut_out
from wirbel.core.method.prepare import prepare
from wirbel.io.nifti.volumes import read_volume
from wirbel.learning.instance.instance_model import InstanceModel
from wirbel.learning.semantic.semantic_model import Normalised, SemanticModel
from wirbel.models.compatibility import AUTO, method_of
from wirbel.models.registry import Model, find_model

KINDS = ("semantic", "instance")


@dataclass
class Inputs:
    """What the networks are given for one scan: the image and the shape of its grid, and the cut-outs."""

    normalised: Normalised
    shape: tuple[int, ...]
    cutouts: np.ndarray
    labels: np.ndarray
    """What the semantic network answered."""


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of scans, model folders and threads."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("scans", nargs="+", type=Path)
    for kind in KINDS:
        made.add_argument(
            f"--{kind}", default="builtin", help="a name in config/models.yaml, or a model folder"
        )
    made.add_argument("--threads", type=int, default=1)
    return made


def load(args, engine: str) -> tuple[SemanticModel, InstanceModel]:
    """Return both networks, computed by `engine`."""
    found = _chosen(args)
    semantic, instance = (
        kind(model.folder, "cpu", args.threads, arithmetic(method), engine)
        for kind, (model, method) in zip((SemanticModel, InstanceModel), found, strict=True)
    )
    return semantic, instance


def inputs(path: Path, args, network: SemanticModel) -> Inputs:
    """Prepare a scan, and cut out what the semantic network finds in it."""
    (semantic, method), (instance, cutting) = _chosen(args)
    axes, spacing_for = semantic.config.model_expected_orientation, semantic.config.spacing_for
    image: Volume = prepare(
        method, read_volume(path), path.name, spacing_for, axes, True, True
    ).image
    normalised = network.normalise(image.data, tuple(image.spacing_mm))
    labels = network.segment(normalised, image.data.shape)
    cleaned = clean(method, image.with_data(labels))
    cutouts = cut_out(cutting, cleaned, instance.config).labels
    return Inputs(normalised, image.data.shape, cutouts, labels)


def _chosen(args) -> list[tuple[Model, str]]:
    """Return each network's model and method."""
    models = [find_model(getattr(args, kind), kind) for kind in KINDS]
    return [(model, method_of(AUTO, model)) for model in models]
