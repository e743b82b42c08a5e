"""Height of a phantom's foramina, from its pedicles as they are drawn on the fine lattice."""

from __future__ import annotations

from ..core.measures.shape.foramen import COLUMNS, SIDES, pedicle_edge_mm
from .anatomy import Vertebra
from .true_shapes import TrueDisc, true_body
from .true_volumes import FineMaps


def true_foramen_columns(
    maps: FineMaps, disc: TrueDisc, pair: tuple[Vertebra, Vertebra] | None
) -> dict[str, float | None]:
    """Return the heights of both foramina between two vertebrae (None: the lower one is the sacrum)."""
    if pair is None or {vertebra.level[0] for vertebra in pair} != {"L"}:
        return dict.fromkeys(COLUMNS)
    heights = []
    for side in SIDES.values():
        edges = []
        for vertebra, way in zip(pair, (-1, 1), strict=True):
            frame = true_body(vertebra).block.frame
            back = -(1 - vertebra.body.hollow) * vertebra.body.depth_mm / 2
            edges.append(pedicle_edge_mm(maps.arch(vertebra.label), frame, back, side, way))
        found = all(edge is not None for edge in edges)
        up = disc.frame.rotation[:, 2]
        heights.append(float((edges[0] - edges[1]) @ up) if found else None)
    return dict(zip(COLUMNS, heights, strict=True))
