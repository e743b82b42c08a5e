"""Height of a phantom's foramina, from its pedicles as they are drawn on the fine lattice."""

from __future__ import annotations

from wirbel.core.measures.frames import Frame
from wirbel.core.measures.shape.foramen import COLUMNS, SIDES, pedicle_edge_mm
from wirbel.phantom.person.anatomy import Vertebra
from wirbel.phantom.true_values.true_shapes import TrueDisc
from wirbel.phantom.true_values.true_volumes import FineMaps


def true_foramen_columns(
    maps: FineMaps, disc: TrueDisc, pair: tuple[Vertebra, Vertebra] | None
) -> dict[str, float | None]:
    """Return the heights of both foramina between two vertebrae (None: the lower one is the sacrum)."""
    if pair is None or {vertebra.level[0] for vertebra in pair} != {"L"}:
        return dict.fromkeys(COLUMNS)
    return {
        name: _height_mm(maps, disc, pair, side)
        for name, side in zip(COLUMNS, SIDES.values(), strict=True)
    }


def _height_mm(
    maps: FineMaps, disc: TrueDisc, pair: tuple[Vertebra, Vertebra], side: int
) -> float | None:
    above, below = (
        pedicle_edge_mm(
            maps.arch(vertebra.label),
            Frame(vertebra.centre_mm, vertebra.rotation.T),
            -(1 - vertebra.body.hollow) * vertebra.body.depth_mm / 2,
            side,
            way,
        )
        for vertebra, way in zip(pair, (-1, 1), strict=True)
    )
    if above is None or below is None:
        return None
    return float((above - below) @ disc.frame.rotation[:, 2])
