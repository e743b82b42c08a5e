"""Which networks `snakemake train` trains."""

from __future__ import annotations

from pathlib import Path

import yaml


def trained_networks(settings: Path, translator: bool) -> tuple[str, ...]:
    """Return the kinds of networks that a training leaves, in their order.

    Parameters
    ----------
    settings : Path
        A file such as `config/train.yaml`; the section `labelling` in it asks for a labelling network. A file that
        cannot be read asks for nothing: the first job says what is wrong with it.
    translator : bool
        A translator is trained instead of the networks of `wirbel run`.
    """
    if translator:
        return ("semantic", "translator")
    try:
        asked = yaml.safe_load(settings.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        asked = None
    labelling = isinstance(asked, dict) and asked.get("labelling") is not None
    return ("semantic", "instance", "labelling") if labelling else ("semantic", "instance")
