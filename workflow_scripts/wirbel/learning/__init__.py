"""Networks, inference and training: the only package that imports torch and nnunetv2."""

import os

# Torch reads this when it is imported: arrays from 2 MB on take large pages where the system has them.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
