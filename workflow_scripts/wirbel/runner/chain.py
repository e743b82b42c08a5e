"""The per-scan stages in order, and which of their results are intermediate."""

STAGES = ("resample", "semantic", "instance", "merge", "features")
LABEL = "label"
"""Names the levels after `merge` if a labelling network is used."""
ALL_STAGES = (*STAGES[:-1], LABEL, STAGES[-1])
INTERMEDIATE = ("resample", "semantic", "instance")
"""No stage after LAST_READER reads their results."""
LAST_READER = "merge"
"""If LABEL follows it, its results are intermediate too, and only LABEL reads them."""
GPU_STAGES = {"semantic": 1, "instance": 1, "label": 1}
"""GPUs that a job of a stage requests; other stages request none."""
READS_ALSO = {"merge": ("semantic",)}
"""Stages before the previous one whose results a stage also reads."""
