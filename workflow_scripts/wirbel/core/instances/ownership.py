"""Give every vertebral body exactly one instance; the semantic phase's bodies decide what the votes
leave open.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.boxes import Box
from wirbel.core.components import room_mm, voxel_volume_mm3
from wirbel.core.geometry import Volume
from wirbel.core.growth import fill_from_nearest, spread
from wirbel.core.instances.bodies import Bodies, usual_spacing
from wirbel.core.labels import SACRUM

OWNED = 0.2
"""An instance owns a body if it covers at least this fraction of it."""
PROPOSED = 0.5
"""A centre prediction may speak for its body if it covers at least this fraction of it."""
SAME_CENTRE_MM = 6.0
"""A prediction's centre lies on the body's centroid; both come from the same map."""
PATH_LIMIT_MM = 90.0
"""From the body through pedicle and arch to the tip of the spinous process (Panjabi 1992: L3, 85 mm)."""
LEAP_MM = 15.0
"""Pieces without contact go to a vertebra this near: half the height of a lumbar body."""
SMALLEST_BODILESS_MM3 = 500.0
"""A vertebra whose body lies outside the field of view shows at least half an arch or process."""
ROOM = 1.3
"""If the field of view extends further than this many body spacings beyond a body's centre, the next
body would be visible.
"""
LARGEST_INSTANCE = 25
"""C2 ... L6 with T13; 26 is the sacrum in the vertebra map."""

Proposal = tuple[np.ndarray, Box, np.ndarray]


def one_vertebra_per_body(
    labels: Volume,
    bodies: Bodies,
    instances: np.ndarray,
    positions: list[float],
    vertebra: np.ndarray,
    proposals: list[Proposal],
) -> np.ndarray:
    """Return the final instances.

    Parameters
    ----------
    labels : Volume
        The settled subregion map.
    bodies : Bodies
        Its n vertebral bodies.
    instances : ndarray of uint8, shape (i, j, k)
        Result of the votes.
    positions : list of float
        Position of each instance among the body centres.
    vertebra : ndarray of bool, shape (i, j, k)
        Voxels that the semantic phase calls vertebra.
    proposals : list of (centre_mm, box, mask)
        The vertebra at the centre of each cut-out.

    Returns
    -------
    ndarray of uint8, shape (i, j, k)
        1 ... n from the top down.
    """
    owner = _owners(instances, bodies, len(positions))
    out = _keep_bodiless(labels, instances, positions, bodies, owner)
    order = list(owner)
    for body in range(len(bodies)):
        if owner[body] == 0:
            order[body] = _new_instance(out, bodies, body, owner, proposals)
    _give_bodies(out, bodies, order)
    out = spread(out, vertebra, labels.spacing_mm, PATH_LIMIT_MM)
    out = fill_from_nearest(out, vertebra, labels.affine, LEAP_MM)
    return _renumber(out, order, _bodiless_ends(positions, order, out, bodies))


def _owners(instances: np.ndarray, bodies: Bodies, count: int) -> np.ndarray:
    """Return the instance that owns each body, shape (n bodies,), or 0; no instance owns two.

    Bodies and instances are matched greedily by the number of voxels they share.
    """
    owner = np.zeros(len(bodies), int)
    inside = bodies.numbers > 0
    pairs = bodies.numbers[inside].astype(np.int64) * (count + 1) + instances[inside]
    shared = np.bincount(pairs, minlength=(len(bodies) + 1) * (count + 1))
    shared = shared.reshape(-1, count + 1)[1:]
    enough = OWNED * np.maximum(shared.sum(1), 1)
    shared[:, 0] = 0
    for flat in np.argsort(-shared, axis=None, kind="stable"):
        body, instance = np.unravel_index(flat, shared.shape)
        if shared[body, instance] <= enough[body]:
            continue
        if owner[body] == 0 and instance not in owner:
            owner[body] = instance
    return owner


def _keep_bodiless(labels, instances, positions, bodies, owner) -> np.ndarray:
    """Drop instances that own no body, unless their body can lie outside the field of view."""
    voxels = np.bincount(instances.ravel(), minlength=len(positions) + 1)
    sizes = voxels * voxel_volume_mm3(labels.affine)
    open_top, open_bottom = _open_ends(labels, bodies)
    keep = np.zeros(256, np.uint8)
    for number, position in enumerate(positions, start=1):
        above, below = position < 0, position > len(bodies) - 1
        outside = (above and open_top) or (below and open_bottom) or not len(bodies)
        if number in owner or (outside and sizes[number] >= SMALLEST_BODILESS_MM3):
            keep[number] = number
    return keep[instances]


def _open_ends(labels: Volume, bodies: Bodies) -> tuple[bool, bool]:
    """Return whether another vertebra's body could lie outside the field of view, above and below."""
    if bodies.chain is None or not len(bodies):
        return True, True
    usual = usual_spacing(bodies.arc_mm)
    down, grid = bodies.chain.down, labels.grid
    above = room_mm(grid, bodies.centre_mm[0], -down(bodies.arc_mm[0]))
    below = room_mm(grid, bodies.centre_mm[-1], down(bodies.arc_mm[-1]))
    # No vertebra follows below a visible sacrum.
    sacrum_mm3 = np.count_nonzero(labels.data == SACRUM) * voxel_volume_mm3(labels.affine)
    last = below < ROOM * usual and float(sacrum_mm3) < SMALLEST_BODILESS_MM3
    return above < ROOM * usual, last


def _new_instance(out, bodies, body, owner, proposals) -> int:
    """Write an instance for a body without an owner: its centre prediction if that fits, otherwise the
    body alone.
    """
    # The prediction may take arches and processes from instances that swallowed or covered the body,
    # but never voxels of another body.
    number = int(max(out.max(), owner.max())) + 1
    own = bodies.numbers == body + 1
    for centre_mm, box, mask in proposals:
        near = np.linalg.norm(centre_mm - bodies.centre_mm[body]) <= SAME_CENTRE_MM
        if near and np.count_nonzero(mask & own[box]) >= PROPOSED * np.count_nonzero(own):
            other = (bodies.numbers[box] > 0) & ~own[box]
            out[box][mask & ~other] = number
            break
    out[own] = number
    return number


def _give_bodies(out: np.ndarray, bodies: Bodies, order: list[int]) -> None:
    """Give every body to its owner alone; along cuts through a merged body, the votes stay."""
    for body, box in enumerate(ndimage.find_objects(bodies.numbers)):
        own = bodies.numbers[box] == body + 1
        part = out[box]
        if bodies.cut[body]:
            neighbours = [
                order[b] for b in (body - 1, body + 1) if 0 <= b < len(order) and bodies.cut[b]
            ]
            own &= ~np.isin(part, neighbours)
        part[own] = order[body]


def _bodiless_ends(positions, order, out, bodies) -> tuple[list[int], list[int]]:
    """Return the remaining instances without a body: those above the first body, and those below the
    last.
    """
    present = np.flatnonzero(np.bincount(out.ravel(), minlength=256)[1:]) + 1
    rest = [int(n) for n in present if n not in order and n <= len(positions)]
    rest.sort(key=lambda n: positions[n - 1])
    middle = (len(bodies) - 1) / 2
    return [n for n in rest if positions[n - 1] < middle], [
        n for n in rest if positions[n - 1] >= middle
    ]


def _renumber(out: np.ndarray, order: list[int], ends: tuple[list[int], list[int]]) -> np.ndarray:
    """Number the instances from the top down."""
    # Of too many instances, keep the run of `LARGEST_INSTANCE` with the most voxels: small ones beyond the
    # head or in the sacrum must not displace whole vertebrae at the other end.
    lookup = np.zeros(256, np.uint8)
    sequence = np.array([*ends[0], *order, *ends[1]], int)
    if len(sequence) > LARGEST_INSTANCE:
        sizes = np.bincount(out.ravel(), minlength=256)[sequence]
        runs = np.convolve(sizes, np.ones(LARGEST_INSTANCE, int), "valid")
        sequence = sequence[int(runs.argmax()) :][:LARGEST_INSTANCE]
    lookup[sequence] = np.arange(1, len(sequence) + 1)
    return lookup[out]
