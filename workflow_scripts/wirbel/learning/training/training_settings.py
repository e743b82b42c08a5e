"""The settings of a training, read from `config/train.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from wirbel.learning.instance.instance_network import InstanceNetwork
from wirbel.learning.instance.published_network import FACTOR, GROUPS
from wirbel.learning.labelling.labelling_settings import LabellingSettings
from wirbel.learning.semantic.semantic_plans import CONTRASTS, SemanticNetwork
from wirbel.phantom import REGIONS

FEWEST_STAGES = 3
FEWEST_SAMPLES = 2
"""Of a batch that is normalised as a whole."""


@dataclass(frozen=True)
class DataSettings:
    """Which phantoms to make; seeds count up from `first_seed`."""

    phantoms: int = 120
    first_seed: int = 100_000
    validation_cases: int = 4
    processes: int = 2
    regions: tuple[str, ...] = ()
    """Fields of view in turn, such as `[lumbar]`; empty: any, as they come in a study of the whole spine."""
    water_share: float = 0.0
    """Fraction of the scans that look like water images of a Dixon gradient echo instead of T2w scans."""

    def region_of(self, seed: int) -> str | None:
        """Return the field of view of a seed's scan; None: the seed decides."""
        return self.regions[seed % len(self.regions)] if self.regions else None

    def is_water(self, seed: int) -> bool:
        """Return whether a seed's scan is a water image; `water_share` of the seeds have one."""
        return bool(np.random.default_rng([seed, 20263]).random() < self.water_share)

    def seeds(self) -> range:
        """Return the seeds of all cases."""
        return range(self.first_seed, self.first_seed + self.phantoms)


@dataclass(frozen=True)
class RealData:
    """One set of real scans with label maps, which may be partial."""

    name: str
    """Starts the names of its cases."""
    images: str
    """BIDS folder with the scans."""
    labels: str
    """Folder with one label map per scan, named after it."""
    scheme: str
    """A label scheme (`config/schemes`) or the path of one."""
    share: float
    """Fraction of the training patches; the simulated scans get what remains."""
    participants: tuple[str, ...] = ()
    """Participants to train with; empty: all."""
    validation: tuple[str, ...] = ()
    """Participants kept out of the training, for the losses and Dice of `losses.tsv`."""
    folds: int = 0
    """Deal the participants to so many folds, and keep one of them out; 0: `validation` names who is kept out."""
    fold: int = 0
    """Which fold is kept out, from 0."""
    teacher: str = ""
    """Folder of a semantic model that chooses among the structures of a union where it is sure; empty: none."""
    teacher_confidence: float = 0.9
    """How probable a structure must be for the teacher to be sure."""


@dataclass(frozen=True)
class Budget:
    """How long and how to train. The training ends when steps or minutes are used up."""

    steps: int = 3000
    max_minutes: float = 0.0
    """0 means no limit. The learning rate follows the larger fraction used up."""
    steps_per_epoch: int = 100
    batch_size: int = 2
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.03
    seed: int = 20
    start_from: str = ""
    """Folder of a trained model whose weights start the training; empty: random weights."""
    kept_share: float = 0.0
    """Share of that model's weights in the exported ones, which are means of both (semantic network only)."""
    predicted_share: float = 0.0
    """Share of the samples whose input is what the trained semantic network makes of the simulated scan; the others
    get simulated errors (instance network only).
    """
    nnunet_trainer: str = ""
    """A trainer class of nnU-Net v2 that trains instead of Wirbel's own (semantic network only, complete labels only).
    """


@dataclass(frozen=True)
class TrainingSettings:
    """The content of `config/train.yaml`."""

    data: DataSettings
    semantic_network: SemanticNetwork
    instance_network: InstanceNetwork
    semantic: Budget
    instance: Budget
    labelling_network: LabellingSettings = LabellingSettings()
    labelling: Budget | None = None
    """Without this section no labelling network is trained."""
    real: tuple[RealData, ...] = ()
    splits: str = ""
    """Table of who is kept out of the training, shared by several trainings; empty: `splits.tsv` in the folder."""


def read_training_settings(path: Path) -> TrainingSettings:
    """Read `config/train.yaml`.

    Raises
    ------
    ValueError
        Names an unknown key.
    """
    return training_settings(yaml.safe_load(path.read_text(encoding="utf-8")) or {})


def training_settings(raw: dict[str, Any]) -> TrainingSettings:
    """Check and convert the decoded file; raise ValueError for an unknown key."""
    kinds = {
        "data": DataSettings,
        "semantic_network": SemanticNetwork,
        "instance_network": InstanceNetwork,
        "semantic": Budget,
        "instance": Budget,
        "labelling_network": LabellingSettings,
        "labelling": Budget,
    }
    refuse_unknown(raw, [*kinds, "real", "splits"], "config/train.yaml")
    real = tuple(
        build_listed(RealData, entry, f"real[{place}]")
        for place, entry in enumerate(raw.get("real") or [])
    )
    check_shares(real, "real")
    _check_folds(real)
    built = {name: build_section(kind, raw.get(name) or {}, name) for name, kind in kinds.items()}
    _check_networks(built["semantic_network"], built["instance_network"])
    check_data(built["data"])
    if raw.get("labelling") is None:
        built["labelling"] = None
    _check_labelling(built["labelling_network"], built["labelling"], built["semantic_network"])
    _check_contrast(built["semantic_network"], real, built["data"])
    return TrainingSettings(
        **built,
        real=real,
        splits=str(raw.get("splits") or ""),
    )


def build_listed(kind: type, values: dict[str, Any], section: str) -> Any:
    """Return an entry of a list; raise ValueError for a missing or an unknown key."""
    missing = [f.name for f in fields(kind) if f.default is MISSING and f.name not in values]
    if missing:
        raise ValueError(f"{section}: expected the keys {', '.join(missing)}, found none")
    return build_section(kind, values, section)


def check_shares(sets: Sequence[Any], key: str) -> None:
    """Raise ValueError unless each set of the list `key` has a name of its own, and their shares are possible."""
    names = [data.name for data in sets]
    if len(set(names)) < len(names):
        raise ValueError(f"{key}: expected a name of its own for each data set, found {names}")
    total = sum(data.share for data in sets)
    if total > 1 or any(data.share <= 0 for data in sets):
        found = ", ".join(f"{data.name} {data.share}" for data in sets)
        raise ValueError(f"{key}: expected shares above 0 that add up to at most 1, found {found}")


def _check_contrast(
    semantic: SemanticNetwork, real: tuple[RealData, ...], data: DataSettings
) -> None:
    if semantic.contrast not in CONTRASTS:
        raise ValueError(
            f"semantic_network: expected a contrast ({', '.join(CONTRASTS)}), found {semantic.contrast!r}"
        )
    if semantic.is_tomography and real:
        raise ValueError(
            f"real: expected no real scans with contrast {semantic.contrast}, found {real[0].name}: "
            "they are T2w scans, and a network of tomograms learns from simulated ones"
        )
    if semantic.is_tomography and data.water_share:
        raise ValueError(
            f"data: expected no water_share with contrast {semantic.contrast}, found {data.water_share}"
        )


def check_data(data: DataSettings) -> None:
    """Raise ValueError for an unknown field of view or an impossible share of water images."""
    if not 0 <= data.water_share <= 1:
        raise ValueError(f"data: expected a water_share from 0 to 1, found {data.water_share}")
    for region in data.regions:
        if region not in REGIONS:
            raise ValueError(
                f"data: expected regions out of {', '.join(REGIONS)}, found {region!r}"
            )


def _check_networks(semantic: SemanticNetwork, instance: InstanceNetwork) -> None:
    if len(semantic.features) < FEWEST_STAGES:
        raise ValueError(
            f"semantic_network: expected at least {FEWEST_STAGES} numbers of features, found {semantic.features}: "
            "nnU-Net leaves the coarsest output out of its loss, and nothing would remain"
        )
    width, size = instance.published_width, instance.cutout_size
    if width and (width % GROUPS or any(edge % FACTOR for edge in size)):
        raise ValueError(
            f"instance_network: expected a published_width that is a multiple of {GROUPS} and a cutout_size of "
            f"multiples of {FACTOR}, found {width} and {size}"
        )


def _check_labelling(
    network: LabellingSettings, budget: Budget | None, semantic: SemanticNetwork
) -> None:
    try:
        network.check()
    except ValueError as error:
        raise ValueError(f"labelling_network: {error}") from None
    if budget is None:
        return
    if budget.batch_size < FEWEST_SAMPLES or budget.steps < 1:
        raise ValueError(
            f"labelling: expected a batch_size of {FEWEST_SAMPLES} or more and 1 or more steps, found "
            f"{budget.batch_size} and {budget.steps}; leave the section out to train no labelling network"
        )
    if semantic.is_tomography:
        raise ValueError(
            f"labelling: expected no labelling network with contrast {semantic.contrast}: it names the levels of "
            "T2w scans; leave the section out"
        )


def _check_folds(real: tuple[RealData, ...]) -> None:
    for data in real:
        if data.folds and data.validation:
            raise ValueError(f"{data.name}: expected either folds or validation, found both")
        if data.folds and (data.folds < 2 or not 0 <= data.fold < data.folds):
            raise ValueError(
                f"{data.name}: expected 2 or more folds and a fold from 0 up to folds - 1, "
                f"found folds {data.folds} and fold {data.fold}"
            )


def build_section(kind: type, values: dict[str, Any], section: str) -> Any:
    """Return a section of the settings; raise ValueError for an unknown key."""
    refuse_unknown(values, {f.name for f in fields(kind)}, section)
    return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})


def refuse_unknown(values: dict, known: Any, section: str) -> None:
    """Raise ValueError for a key of `values` that is not in `known`."""
    for key in values:
        if key not in known:
            raise ValueError(
                f"{section}: unknown key {key!r}; known are {', '.join(sorted(known))}"
            )
