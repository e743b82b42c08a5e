"""Choose the steps around a network: the setting `compatibility`, and what it means for a model.

A network suits the preprocessing it was trained with, and published figures hold for the published
steps. Networks in the published formats are therefore run as SPINEPS runs them, and Wirbel's own as
Wirbel does, unless the user decides otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wirbel.core.method.names import OWN, PUBLISHED

if TYPE_CHECKING:  # the registry takes a tenth of a stage's start
    from wirbel.models.registry import Model

AUTO = "auto"
"""Follow the model folder: `compatibility` in its settings, otherwise the format of its weights."""
OWN_WEIGHTS = {
    "semantic": "fold_*/checkpoint_final.safetensors",
    "instance": "weights.safetensors",
}
"""Weight files of networks that Wirbel trained."""


def method_of(compatibility: str, model: Model) -> str:
    """Return OWN, PUBLISHED or SPINEPS: the setting, or what suits the model."""
    if compatibility != AUTO:
        return compatibility
    if model.config.compatibility is not None:
        return model.config.compatibility
    own = any(model.folder.rglob(OWN_WEIGHTS[model.kind]))
    return OWN if own else PUBLISHED


def compatibility_parameter(*chosen: str) -> dict[str, str]:
    """Return the entry for the provenance key and the sidecars; {} if all steps are Wirbel's own.

    Parameters
    ----------
    *chosen : str
        The method of the semantic network, of the instance network, or of both.

    Examples
    --------
    >>> compatibility_parameter("published", "published")
    {'Compatibility': 'published'}
    """
    if set(chosen) == {OWN}:
        return {}
    return {"Compatibility": ", ".join(dict.fromkeys(chosen))}
