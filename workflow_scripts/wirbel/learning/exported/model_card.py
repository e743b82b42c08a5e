"""The model card of a trained network, written from its settings and what its training left behind."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wirbel.io.atomic import write_text
from wirbel.io.foreign.label_schemes import scheme_source
from wirbel.learning.training.training_settings import Budget, TrainingSettings
from wirbel.learning.translation.translator_settings import TranslatorSettings

FILE_NAME = "README.md"
PAIRS = "pairs_"
TASKS = {
    "semantic": "14 structures in a T2-weighted sagittal image",
    "instance": "the vertebra above, in the centre and below, in a cut-out of the structures",
    "labelling": "the level of a vertebra, in a cut-out of a T2-weighted sagittal image around its body",
    "translator": "the attenuation (Hounsfield units) that computed tomography would measure, from a T2-weighted "
    "sagittal image",
}
TOMOGRAMS = "14 structures in computed tomography, as the translator makes it"


def write_card(target: Path, phase: str, settings: TrainingSettings | TranslatorSettings) -> None:
    """Write `README.md` into an exported model folder.

    Parameters
    ----------
    target : Path
        The folder; its `training.tsv` and `losses.tsv` are quoted.
    phase : str
        "semantic", "instance", "labelling" or "translator".
    settings : TrainingSettings or TranslatorSettings
        The settings of the training.
    """
    budget: Budget = getattr(settings, phase)
    network = getattr(settings, f"{phase}_network")
    facts = dict(_rows(target / "training.tsv")[1:])
    parts = [
        f"# Model card: {phase} network",
        "Written from the run by Wirbel. Say below what it is good for, and what it is not.",
        f"Task: {TOMOGRAMS if getattr(network, 'is_tomography', False) else TASKS[phase]}.",
        "## Data",
        *_data(phase, settings, facts),
        "## Training",
        _table([*facts.items()]),
        "Settings of the training:",
        _table([*asdict(budget).items()]),
        "Settings of the network:",
        _table([*asdict(network).items()]),
        "## Figures",
        *_figures(target),
        "## Limits",
        "To be written by those who trained it: scanners, contrasts, people and findings that were not in the data. "
        "Compare with reference label maps of other people (`wirbel evaluate`) before use.",
    ]
    write_text(target / FILE_NAME, "\n\n".join(parts) + "\n")


def _data(
    phase: str, settings: TrainingSettings | TranslatorSettings, facts: dict[str, str]
) -> list[str]:
    if isinstance(settings, TranslatorSettings):
        return _pairs(facts)
    first, last = facts.get("first_case", ""), facts.get("last_case", "")
    lines = [f"- {facts['cases']} simulated scans ({first} to {last})"] if first else []
    if phase != "semantic":
        return [
            "\n".join(lines),
            "The last twentieth of them (at least one) was kept out of the training.",
        ]
    lines += [_real(data) for data in settings.real]
    return ["\n".join(lines), "Who was kept out of the training is in `splits.tsv`."]


def _pairs(facts: dict[str, str]) -> list[str]:
    sets = {name: n for name, n in facts.items() if name.startswith(PAIRS)}
    lines = [f"- {name.removeprefix(PAIRS)}: {n} pairs" for name, n in sets.items()]
    return ["\n".join(lines), "Who was kept out of the training is in `pairs.json`."]


def _real(data: Any) -> str:
    teacher = (
        f"; teacher {Path(data.teacher).name} at a confidence of {data.teacher_confidence}"
        if data.teacher
        else ""
    )
    source = scheme_source(data.scheme)
    cited = f"; label scheme of: {source}" if source else ""
    return (
        f"- {data.name}: real scans, share {data.share} of the patches, "
        f"label scheme {Path(data.scheme).stem}{teacher}{cited}"
    )


def _figures(target: Path) -> list[str]:
    path = target / "losses.tsv"
    if not path.exists():
        return ["None were recorded."]
    heading, *rows = _rows(path)
    return [
        "The last figures of kept-out scans, of patches or cut-outs (`curves.csv`, `curves.png`):",
        _table(list(zip(heading, rows[-1], strict=True))),
    ]


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t"))


def _table(rows: list[tuple[str, Any]]) -> str:
    lines = ["| | |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in rows])
