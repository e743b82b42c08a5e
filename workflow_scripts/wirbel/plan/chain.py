"""The table of per-scan stages: their order, what each one needs, and which of their results are intermediate.

Rules and tests read it from here; tests hold the profiles to it, which name the stages that want a GPU again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from wirbel.plan.plan import INGEST


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
    then: tuple[str, ...] = ()
    """Stages that the same job runs afterwards, in the same process."""

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
OPTIONAL = (INGEST, LABEL)
"""Stages of some runs only: INGEST converts DICOM before `resample`, if that is what the source is."""
CHAIN = (
    StageNeeds(INGEST, "Converting the deliveries", 3000, 10, 2),
    StageNeeds("resample", "Resampling to the model's grid", 3000, 10, 2),
    StageNeeds("semantic", "Segmenting the structures", 6000, 15, 2, 1, then=("instance",)),
    StageNeeds("instance", "Separating the vertebrae", 6000, 15, 2, gpus=1),
    StageNeeds("merge", "Merging and naming the vertebrae", 4000, 10, 2),
    StageNeeds(LABEL, "Naming the vertebrae", 6000, 15, 1, gpus=1),
    StageNeeds("features", "Measuring the scans", 3000, 10, 1),
)
"""In the order in which a scan goes through them.

One job runs `semantic` and `instance`: one start, one import of torch and one GPU serve both.
"""
DRAWING = StageNeeds("pictures", "Drawing the scans", 3000, 10, 1)
"""Draws every batch for the QC report, after the last stage of the chain; no scan can fail at it."""

ALL_STAGES = tuple(stage.name for stage in CHAIN)
STAGES = tuple(name for name in ALL_STAGES if name not in OPTIONAL)
"""The usual stages."""
INTERMEDIATE = ("resample", "semantic", "instance")
"""No stage after LAST_READER reads their results."""
LAST_READER = "merge"
"""If LABEL follows it, its results are intermediate too, and only LABEL reads them."""
GPU_STAGES = {stage.name: stage.gpus for stage in CHAIN if stage.gpus}
"""GPUs that a stage uses; other stages use none."""
BESIDE_ON_GPU = (
    "train_semantic",
    "train_instance",
    "train_labelling",
    "train_translator",
    "translate",
)
"""Rules that are not part of `all` and ask for one GPU each."""
THEN = {stage.name: stage.then for stage in CHAIN}
FOLLOWERS = tuple(name for then in THEN.values() for name in then)
"""Stages without a job of their own."""
GPU_JOBS = tuple(name for name in GPU_STAGES if name not in FOLLOWERS)
GPU_RULES = (*GPU_JOBS, *BESIDE_ON_GPU)
READS_ALSO = {"merge": ("semantic",)}
"""Stages before the previous one whose results a stage also reads."""


def stages_of_run(with_labelling: bool, with_ingest: bool = False) -> tuple[str, ...]:
    """Return the stages that run for every scan, in their order."""
    wanted = {LABEL: with_labelling, INGEST: with_ingest}
    return tuple(name for name in ALL_STAGES if wanted.get(name, True))


def stage_before(stage: str, stages: tuple[str, ...]) -> str | None:
    """Return the stage whose manifest a stage reads, None for the first; `stages` are those of this run.

    LABEL comes after LAST_READER, and INGEST first, also in a run that leaves them out.
    """
    if stage == INGEST:
        return None
    if stage == LABEL:
        return LAST_READER
    if stage == DRAWING.name:
        return stages[-1]
    place = stages.index(stage)
    return stages[place - 1] if place else None


def job_of(stage: str) -> str:
    """Return the stage whose job runs a stage: its own, or the one that it follows."""
    return next((name for name, then in THEN.items() if stage in then), stage)


def stages_of_job(stage: str) -> tuple[str, ...]:
    """Return all stages that the job of a stage runs, in their order."""
    first = job_of(stage)
    return (first, *THEN.get(first, ()))


def jobs() -> tuple[StageNeeds, ...]:
    """Return what each kind of job asks for, in the order in which a scan goes through them."""
    return tuple(_together(stage) for stage in CHAIN if stage.name not in FOLLOWERS)


def _together(first: StageNeeds) -> StageNeeds:
    """Return what a job needs that runs a stage and those that follow it: one start, and the time of all."""
    each = [stage for stage in CHAIN if stage.name in (first.name, *first.then)]
    return replace(
        first,
        doing=", ".join([first.doing, *(f"{s.doing[0].lower()}{s.doing[1:]}" for s in each[1:])]),
        mem_mb=max(stage.mem_mb for stage in each),
        minutes_per_scan=sum(stage.minutes_per_scan for stage in each),
    )
