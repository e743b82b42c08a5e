"""Choose the training patches of the semantic network."""

from __future__ import annotations

import numpy as np
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

from wirbel.core.labels import SACRUM
from wirbel.learning.semantic.semantic_plans import class_of_label

SACRUM_SHARE = 0.3
"""Fraction of the foreground patches centred on the sacrum. nnU-Net centres each patch on an evenly
drawn class, one in fourteen. But ten of the classes repeat in every vertebra, while the sacrum, the
largest and most varied structure, is visible at only one end of the spine.
"""


class PatchLoader(nnUNetDataLoader):
    """nnU-Net's loader, which looks at the sacrum more often."""

    def get_bbox(self, data_shape, force_fg, class_locations, overwrite_class=None, verbose=False):
        """Return the lower and upper corner of a patch, like nnU-Net."""
        sacrum = class_of_label()[SACRUM]
        if force_fg and sacrum in class_locations and np.random.uniform() < SACRUM_SHARE:
            overwrite_class = sacrum  # nnU-Net ignores it if the scan shows no sacrum
        return super().get_bbox(data_shape, force_fg, class_locations, overwrite_class, verbose)
