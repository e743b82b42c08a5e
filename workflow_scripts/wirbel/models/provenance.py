"""The sidecar entries about the networks that made a map."""

from __future__ import annotations

from pathlib import Path

from wirbel.models.registry import Model


def provenance_entry(models: dict[str, tuple[str, Model]], n4: bool | str) -> dict:
    """Return the sidecar entries about networks and settings; a model folder is named by its last
    part.

    Networks that only serve to try the software are marked `ToyWeights`.
    """
    return {
        "Models": {
            kind: {"Name": Path(name).name, "SHA256": model.sha256} | _toy(model)
            for kind, (name, model) in models.items()
        },
        "BiasFieldCorrection": n4,
    }


def _toy(model: Model) -> dict:
    return {"ToyWeights": True} if model.toy else {}
