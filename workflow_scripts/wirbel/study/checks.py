"""Cheap looks before costly work: what would fail hours later is refused at the start, with one sentence."""

from __future__ import annotations

from wirbel.runner.settings import Settings
from wirbel.study.refused import Refused
from wirbel.study.toy_weights import toy_refusal, toy_remark


def check_before_run(settings: Settings, on_cluster: bool) -> list[str]:
    """Raise Refused where a run could not end well; return what people should know before it starts.

    Reads settings and looks at folders; writes nothing, so that a dry run says the same.
    """
    refusal = toy_refusal(settings.models, on_cluster, settings.allow_toy_weights)
    if refusal:
        raise Refused(refusal)
    return [remark for remark in (toy_remark(settings.models),) if remark]
