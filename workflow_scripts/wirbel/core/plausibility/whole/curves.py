"""Tell which way a spine's curves bend, and whether it has a step, from its bodies and sacrum alone.

In an image whose header exchanges front and back, networks draw specks of canal and arches where
the header says the back is. Then only the curves reveal it.
"""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.plausibility.whole.chain import WholeChain, unit

ANTERIOR = np.array([0.0, 1.0, 0.0])
FEWEST_THORACIC = 7
KYPHOSIS_MM = 5.0
"""Thoracic bodies lie on average this far behind the line from the first to the last of them: 13 mm in
a kyphosis of 35 degrees over 270 mm, 5 mm in one of 15 degrees (Boulay et al., Eur Spine J
2006;15:415: 15 to 70 degrees).
"""
SACRUM_MM = 8.0
"""The sacrum's centre lies this far behind the last body's: 25 to 50 mm at slopes of 20 to 60 degrees
(Boulay).
"""
STEP_OF_DEPTH = 0.6
"""A body beside its neighbour's course, relative to its depth: a slip of more than a half (Meyerding, Surg Gynecol
Obstet 1932;54:371, grade III) is rare."""


def has_step(chain: WholeChain) -> bool:
    """Return True if somewhere the lower bodies run on beside the upper ones."""
    return any(step > STEP_OF_DEPTH for step in steps(chain))


def steps(chain: WholeChain) -> list[float]:
    """Return how far each body lies beside the course of those around it, relative to its depth.

    The course between two bodies is the mean direction of the steps before and after; C2, whose centre the dens
    moves, does not count.
    """
    links = [link for link in chain.links if link.level != "C2"]
    ways = np.diff([link.centre_mm for link in links], axis=0)
    found = []
    for k in range(1, len(ways) - 1):
        course = unit(unit(ways[k - 1]) + unit(ways[k + 1]))
        beside = ways[k] - (ways[k] @ course) * course
        depth = max(link.extent_mm(ANTERIOR) for link in links[k : k + 2])
        found.append(float(np.linalg.norm(beside) / depth))
    return found


def curves_bend_forward(chain: WholeChain) -> bool:
    """Return True if thorax and sacrum, as far as they are in view, bend the wrong way according to
    the header.
    """
    votes = [vote for vote in (_thorax_bends(chain), _sacrum_lies(chain)) if vote is not None]
    return bool(votes) and all(votes)


def _thorax_bends(chain: WholeChain) -> bool | None:
    """Return True if the thoracic bodies lie in front of the line between the outermost; None if they
    hardly bend.
    """
    first, last = LEVEL_LABELS["T2"], LEVEL_LABELS["T11"]
    points = np.array([k.centre_mm for k in chain.links if first <= k.label <= last])
    if len(points) < FEWEST_THORACIC:
        return None
    line = points[-1] - points[0]
    along = (points - points[0]) @ line / (line @ line)
    forward = float(((points - points[0] - along[:, None] * line) @ ANTERIOR).mean())
    return None if abs(forward) < KYPHOSIS_MM else forward > 0


def _sacrum_lies(chain: WholeChain) -> bool | None:
    """Return True if the sacrum lies in front of the last body; None if there is none, or if it is
    right below.
    """
    if chain.sacrum is None or not chain.links:
        return None
    forward = float((chain.sacrum.centroid_mm - chain.centres_mm[-1]) @ ANTERIOR)
    return None if abs(forward) < SACRUM_MM else forward > 0
