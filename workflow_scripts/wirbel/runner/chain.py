"""The table of per-scan stages: their order, what each one needs, and which of their results are intermediate.

Rules and tests read it from here; tests hold the profiles to it, which name the stages that want a GPU again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StageNeeds:
    """What a stage's job asks for at its first attempt; further ones get more.

    Memory does not grow with the size of a batch: three of its scans are in memory at a time, however many there are.
    Time does: `start_minutes` and `minutes_per_scan`.
    """

    name: str
    doing: str
    mem_mb: int
    start_minutes: int
    minutes_per_scan: int
    gpus: int = 0

    @property
    def threads(self) -> int:
        """Processors of a job; beside a GPU they load and save, and feed it."""
        return 8 if self.gpus else 1

    @property
    def environment(self) -> str:
        """The environment's name in `envs/`."""
        return "gpu" if self.gpus else "cpu"


LABEL = "label"
"""Names the levels after `merge` if a labelling network is used."""
CHAIN = (
    StageNeeds("resample", "Resampling to the model's grid", 3000, 10, 2),
    StageNeeds("semantic", "Segmenting the structures", 6000, 15, 2, gpus=1),
    StageNeeds("instance", "Separating the vertebrae", 6000, 15, 2, gpus=1),
    StageNeeds("merge", "Merging and naming the vertebrae", 4000, 10, 2),
    StageNeeds(LABEL, "Naming the vertebrae", 6000, 15, 1, gpus=1),
    StageNeeds("features", "Measuring the scans", 3000, 10, 1),
)
"""In the order in which a scan goes through them."""
DRAWING = StageNeeds("pictures", "Drawing the scans", 3000, 10, 1)
"""Draws every batch for the QC report, after the last stage of the chain; no scan can fail at it."""

ALL_STAGES = tuple(stage.name for stage in CHAIN)
STAGES = tuple(name for name in ALL_STAGES if name != LABEL)
"""The usual stages."""
INTERMEDIATE = ("resample", "semantic", "instance")
"""No stage after LAST_READER reads their results."""
LAST_READER = "merge"
"""If LABEL follows it, its results are intermediate too, and only LABEL reads them."""
GPU_STAGES = {stage.name: stage.gpus for stage in CHAIN if stage.gpus}
"""GPUs that a job of a stage requests; other stages request none."""
TRAINING_ON_GPU = ("train_semantic", "train_instance")
"""Rules of `snakemake train` that ask for one GPU each."""
GPU_RULES = (*GPU_STAGES, *TRAINING_ON_GPU)
READS_ALSO = {"merge": ("semantic",)}
"""Stages before the previous one whose results a stage also reads."""


def stages_of_run(with_labelling: bool) -> tuple[str, ...]:
    """Return the stages that run for every scan, in their order."""
    return ALL_STAGES if with_labelling else STAGES


def stage_before(stage: str, stages: tuple[str, ...]) -> str | None:
    """Return the stage whose manifest a stage reads, None for the first; `stages` are those of this run.

    LABEL comes after LAST_READER also in a run that leaves it out.
    """
    if stage == LABEL:
        return LAST_READER
    if stage == DRAWING.name:
        return stages[-1]
    place = stages.index(stage)
    return stages[place - 1] if place else None
