"""The settings of a labelling network that is to be trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wirbel.core.labelling.level_evidence import LEVEL_HEADS, check_heads
from wirbel.learning.labelling.labelling_network import BLOCKS, SMALLEST_EDGE, LabellingNetwork
from wirbel.learning.labelling.level_targets import HEAD_CLASSES
from wirbel.learning.stored_settings import StoredSettings


@dataclass(frozen=True)
class LabellingSettings(StoredSettings):
    """Size of the network, its questions and its voxels; slices are as far apart as in the training cases."""

    backbone: str = "DENSENET169"
    """`DENSENET121` or `DENSENET169`."""
    heads: tuple[str, ...] = ("REGION", "VERT", "VERTREL", "FULLYVISIBLE")
    """What the network answers about each vertebra (`wirbel.core.labelling.level_evidence`)."""
    cutout_size: tuple[int, int, int] = (152, 168, 32)
    """Voxels along (P, I, R); the default is that of the published networks."""

    in_plane_mm: float = 0.0
    """Voxel size in the sagittal plane; 0: that of the training cases. A larger one shows more of the spine."""

    def spacing_mm(self, cases_mm: Sequence[float]) -> tuple[float, float, float]:
        """Return the network's voxel size for that of the cases, both along (P, I, R)."""
        i, j, k = cases_mm
        return (self.in_plane_mm or i, self.in_plane_mm or j, k)

    @property
    def level_head(self) -> str:
        """The head whose F1 score stands for the network: the one that names levels best."""
        return next(head for head in LEVEL_HEADS if head in self.heads)

    def network(self) -> LabellingNetwork:
        """Return the network's structure."""
        return LabellingNetwork(self.backbone, {head: HEAD_CLASSES[head] for head in self.heads})

    def check(self) -> None:
        """Raise ValueError if there is no such network."""
        if self.backbone not in BLOCKS:
            raise ValueError(f"expected a backbone of {', '.join(BLOCKS)}, found {self.backbone!r}")
        unknown = [head for head in self.heads if head not in HEAD_CLASSES]
        if unknown or len(set(self.heads)) < len(self.heads):
            raise ValueError(
                f"expected heads out of {', '.join(HEAD_CLASSES)}, each once, found {', '.join(map(str, self.heads))}"
            )
        check_heads({head: HEAD_CLASSES[head] for head in self.heads})
        if self.in_plane_mm < 0:
            raise ValueError(f"expected an in_plane_mm of 0 or more, found {self.in_plane_mm}")
        if len(self.cutout_size) != 3 or any(n < SMALLEST_EDGE or n % 2 for n in self.cutout_size):
            raise ValueError(
                f"expected a cutout_size of three even edges of {SMALLEST_EDGE} or more, found {self.cutout_size}"
            )
