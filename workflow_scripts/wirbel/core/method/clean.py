"""From the semantic network's labels to a cleaned subregion map."""

from __future__ import annotations

from wirbel.core.geometry import Volume, upright
from wirbel.core.method.names import OWN
from wirbel.core.semantic.cleaning import clean_semantic as own_cleaning
from wirbel.core.spineps.semantic_cleaning import clean_semantic as spineps_cleaning


def clean(method: str, labels: Volume) -> Volume:
    """Return a network's subregion map (uint8, on the model grid) without specks, holes and strays."""
    if method == OWN:
        return labels.with_data(own_cleaning(upright(labels)).data)
    return spineps_cleaning(labels)
