"""The settings of a training, read from `config/train.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from wirbel.learning.instance_network import InstanceNetwork
from wirbel.learning.semantic_plans import SemanticNetwork


@dataclass(frozen=True)
class DataSettings:
    """Which phantoms to make; seeds count up from `first_seed`."""

    phantoms: int = 120
    first_seed: int = 100_000
    validation_cases: int = 4
    processes: int = 2

    def seeds(self) -> range:
        """Return the seeds of all cases."""
        return range(self.first_seed, self.first_seed + self.phantoms)


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


@dataclass(frozen=True)
class TrainingSettings:
    """The content of `config/train.yaml`."""

    data: DataSettings
    semantic_network: SemanticNetwork
    instance_network: InstanceNetwork
    semantic: Budget
    instance: Budget


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
    }
    _refuse_unknown(raw, kinds, "config/train.yaml")
    return TrainingSettings(
        **{name: _build(kind, raw.get(name) or {}, name) for name, kind in kinds.items()}
    )


def _build(kind: type, values: dict[str, Any], section: str) -> Any:
    _refuse_unknown(values, {f.name for f in fields(kind)}, section)
    return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})


def _refuse_unknown(values: dict, known: Any, section: str) -> None:
    for key in values:
        if key not in known:
            raise ValueError(
                f"{section}: unknown key {key!r}; known are {', '.join(sorted(known))}"
            )
