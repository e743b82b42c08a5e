"""The per-scan stages in their order, and which of their results are intermediate."""

STAGES = ("resample", "semantic", "instance", "merge", "features")
LABEL = "label"
"""Names the levels after `merge`, where a labelling network is used."""
ALL_STAGES = (*STAGES[:-1], LABEL, STAGES[-1])
INTERMEDIATE = ("resample", "semantic", "instance")
"""Their results are read by no stage after LAST_READER."""
LAST_READER = "merge"
"""Where LABEL follows it, its results are intermediate as well, and read by LABEL alone."""
GPU_STAGES = {"semantic": 1, "instance": 1, "label": 1}
"""GPUs that a stage's job asks for; stages that are not named ask for none."""
READS_ALSO = {"merge": ("semantic",)}
"""Stages before the previous one whose results a stage reads as well."""
