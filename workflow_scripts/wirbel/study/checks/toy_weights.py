"""The embedded networks are for trying the software: every run with them says so, and a cluster
refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping

from wirbel.models.toy import toy_kinds

SCIENCE = "docs/models.md says how to get networks trained on real scans"


def toy_remark(models: Mapping[str, str]) -> str:
    """Return the warning for a run with these networks (kind -> name or folder); empty if none is a
    toy.
    """
    kinds = toy_kinds(models)
    if not kinds:
        return ""
    names = " and ".join(dict.fromkeys(models[kind] for kind in kinds))
    return (
        f"TOY WEIGHTS: {names} ({', '.join(kinds)}) was trained almost only on simulated scans, for trying the "
        f"software. Names and numbers of real scans are not fit for science; {SCIENCE}."
    )


def toy_refusal(models: Mapping[str, str], on_cluster: bool, allowed: bool) -> str:
    """Return why a run does not start; empty if it may."""
    if allowed or not on_cluster:
        return ""
    remark = toy_remark(models)
    if not remark:
        return ""
    return (
        f"{remark} On a cluster they are refused: set `models` to other networks, or, to try the cluster, "
        "add allow_toy_weights=true to --config"
    )
