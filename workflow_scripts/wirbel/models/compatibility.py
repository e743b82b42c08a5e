"""Whose decisions the steps around a network follow: the setting `compatibility`, and what it means for a model.

A network suits the preparation that it was trained with, and its makers' figures hold for their own steps. So
networks in the published formats are run as SPINEPS runs them, and those that Wirbel has trained as Wirbel does,
unless told otherwise.
"""

from __future__ import annotations

from wirbel.models.registry import Model

AUTO = "auto"
"""As the model's folder says: `compatibility` in its settings, else by the format of its weights."""
NONE = "none"
"""Wirbel's own steps."""
PUBLISHED = "published"
"""SPINEPS' steps, so that masks are the same; vertebrae named by Wirbel."""
SPINEPS = "spineps"
"""SPINEPS' steps and its numbers: the topmost vertebra counts as C2."""
OWN_WEIGHTS = {
    "semantic": "fold_*/checkpoint_final.safetensors",
    "instance": "weights.safetensors",
}
"""Files of networks that Wirbel has trained."""


def method_of(compatibility: str, model: Model) -> str:
    """Return NONE, PUBLISHED or SPINEPS: what is set, or what suits the model."""
    if compatibility != AUTO:
        return compatibility
    if model.config.compatibility is not None:
        return model.config.compatibility
    own = any(model.folder.rglob(OWN_WEIGHTS[model.kind]))
    return NONE if own else PUBLISHED


def compatibility_parameter(*chosen: str) -> dict[str, str]:
    """Return what goes into the provenance key and the sidecars; nothing where all steps are Wirbel's own.

    `chosen` is that of the semantic and of the instance network, or of one of them.
    """
    if set(chosen) == {NONE}:
        return {}
    return {"Compatibility": ", ".join(dict.fromkeys(chosen))}
