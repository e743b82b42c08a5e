"""The settings of a translator's training, read from `config/translator.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from wirbel.learning.semantic.semantic_plans import PatchNetwork
from wirbel.learning.training.training_settings import (
    Budget,
    DataSettings,
    build_listed,
    build_section,
    check_data,
    check_shares,
    refuse_unknown,
)

NOT_USED = {
    "kept_share": "semantic",
    "predicted_share": "instance",
    "nnunet_trainer": "semantic",
}
"""Keys of a budget that only another network knows."""


@dataclass(frozen=True)
class PairData:
    """One set of people with an MR image and a tomogram in the same position."""

    name: str
    """Starts the names of its pairs."""
    images: str
    """BIDS folder with the MR scans."""
    ct: str
    """Folder with one tomogram per scan (Hounsfield units), named after the scan."""
    share: float
    """Fraction of the training patches; the simulated pairs get what remains."""
    masks: str = ""
    """Folder with a map per scan, on any grid: 0 where its pair is not registered well. Empty: all of it is."""
    align: bool = False
    """Align each tomogram rigidly with its scan, by mutual information."""
    participants: tuple[str, ...] = ()
    """Participants to train with; empty: all."""
    validation: tuple[str, ...] = ()
    """Participants kept out of the training, for the figures of `losses.tsv`."""


@dataclass(frozen=True)
class TranslatorSettings:
    """The content of `config/translator.yaml`."""

    data: DataSettings = field(default_factory=DataSettings)
    """Simulated pairs."""
    translator_network: PatchNetwork = field(default_factory=PatchNetwork)
    translator: Budget = field(default_factory=Budget)
    pairs: tuple[PairData, ...] = ()
    """Real pairs."""


def read_translator_settings(path: Path) -> TranslatorSettings:
    """Read `config/translator.yaml`; raise ValueError, which names what is wrong."""
    return translator_settings(yaml.safe_load(path.read_text(encoding="utf-8")) or {})


def translator_settings(raw: dict[str, Any]) -> TranslatorSettings:
    """Check and convert the decoded file; raise ValueError."""
    kinds = {
        "data": DataSettings,
        "translator_network": PatchNetwork,
        "translator": Budget,
    }
    refuse_unknown(raw, [*kinds, "pairs"], "config/translator.yaml")
    pairs = tuple(
        build_listed(PairData, entry, f"pairs[{place}]")
        for place, entry in enumerate(raw.get("pairs") or [])
    )
    check_shares(pairs, "pairs")
    _check_folders(pairs)
    built = {name: build_section(kind, raw.get(name) or {}, name) for name, kind in kinds.items()}
    check_data(built["data"])
    if built["data"].water_share:
        raise ValueError("data: water_share belongs to the semantic network; remove it here")
    _check_budget(built["translator"])
    if not pairs and not built["data"].phantoms:
        raise ValueError("pairs: expected real pairs or simulated ones (phantoms), found neither")
    return TranslatorSettings(**built, pairs=pairs)


def _check_folders(pairs: tuple[PairData, ...]) -> None:
    for data in pairs:
        for key in ("images", "ct", "masks"):
            folder = getattr(data, key)
            if folder and not Path(folder).is_dir():
                raise ValueError(
                    f"{data.name}: expected a folder for {key}, found none at {folder}"
                )


def _check_budget(budget: Budget) -> None:
    for key, network in NOT_USED.items():
        if getattr(budget, key):
            raise ValueError(
                f"translator: {key} belongs to the {network} network; remove it from this section"
            )
