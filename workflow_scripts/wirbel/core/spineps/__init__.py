"""The steps around the networks as SPINEPS 2.1.3 decides them, for `compatibility: spineps`.

Group studies that began with that tool must be able to go on with the same masks. Where Wirbel's own steps work in
millimetres and independently of how a file stores its axes, these count voxels as the other tool does, and
some results depend on the storage order. `docs/coming-from-spineps.md` tells the two apart.
"""
