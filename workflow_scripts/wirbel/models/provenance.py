"""The sidecars' account of the networks that made a map."""

from __future__ import annotations

from pathlib import Path

from wirbel.models.registry import Model


def provenance_entry(models: dict[str, tuple[str, Model]], n4: bool | str) -> dict:
    """Return the sidecars' account of networks and settings; a model folder goes by its last name.

    Networks for trying the software only are marked as `ToyWeights`.
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
