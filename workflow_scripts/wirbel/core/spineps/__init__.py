"""The steps around the networks as SPINEPS 2.1.3 does them, for `compatibility: published` and
`spineps`.

Studies that began with SPINEPS must be able to continue with the same masks. Wirbel's own steps
work in millimetres and do not depend on how a file stores its axes; these count voxels as SPINEPS
does, and some results depend on the storage order. `docs/coming-from-spineps.md` lists the
differences.
"""
