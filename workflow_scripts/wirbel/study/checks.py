"""Cheap looks before costly work: what would fail hours later is refused at the start, with one sentence."""

from __future__ import annotations

from pathlib import Path

from wirbel.runner.settings import Settings
from wirbel.study.models import models_fault
from wirbel.study.refused import Refused
from wirbel.study.toy_weights import toy_refusal, toy_remark


def check_before_run(settings: Settings, on_cluster: bool, remembers: bool = False) -> list[str]:
    """Raise Refused where a run could not end well; return what people should know before it starts.

    Reads settings, models, and looks at folders; writes nothing, so that a dry run says the same. With `remembers` the
    models' digests are kept in the output folder.
    """
    output = Path(settings.output_dir)
    refusal = models_fault(settings.models, output, remembers) or toy_refusal(
        settings.models, on_cluster, settings.allow_toy_weights
    )
    if refusal:
        raise Refused(refusal)
    return [remark for remark in (toy_remark(settings.models),) if remark]
