"""Where the training patches of the semantic network lie."""

from __future__ import annotations

import numpy as np
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

from wirbel.core.labels import SACRUM
from wirbel.learning.semantic_plans import class_of_label

SACRUM_SHARE = 0.3
"""Share of the foreground patches that are centred on the sacrum. nnU-Net centres each on a class drawn evenly,
one in fourteen; yet ten of the classes repeat in every vertebra, and the sacrum, the largest and most varied
structure, lies in view at one end of the spine only."""


class PatchLoader(nnUNetDataLoader):
    """nnU-Net's loader, looking at the sacrum more often."""

    def get_bbox(self, data_shape, force_fg, class_locations, overwrite_class=None, verbose=False):
        """Return the lower and upper corner of a patch, as nnU-Net does."""
        sacrum = class_of_label()[SACRUM]
        if force_fg and sacrum in class_locations and np.random.uniform() < SACRUM_SHARE:
            overwrite_class = sacrum  # nnU-Net ignores it where a scan shows none of it
        return super().get_bbox(data_shape, force_fg, class_locations, overwrite_class, verbose)
