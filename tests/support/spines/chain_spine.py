"""A spine made link by link, bodies and discs of any shape: every measure can be read off the parameters.

Each link is drawn in its own frame, (right, anterior, superior) in mm, symmetric about its middle: so its superior
axis bisects its endplates by construction, and a wedge bends the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from wirbel.core import labels as L
from wirbel.core.geometry import Volume

GAP_MM = 1.5
"""Distance between the bodies' back wall and the canal."""
Section = tuple[float, float]
"""Depth and width of an ellipse, mm."""


@dataclass(frozen=True)
class Link:
    """A body (`label` of its vertebra) or a disc (100 + the one above).

    Heights are those at the very back, in the middle and at the very front of the depth; between them runs a straight
    line, and a parabola for what the middle differs from it. `exponent` shapes the outline: 2 is an ellipse.
    """

    label: int
    back_mm: float
    front_mm: float
    depth_mm: float
    width_mm: float
    middle_mm: float | None = None
    exponent: float = 2.5

    @property
    def is_disc(self) -> bool:
        """Whether this is a disc."""
        return self.label >= L.DISC_OFFSET

    def height_at(self, fraction):
        """Height in mm at a fraction of the depth, 0 at the back."""
        straight = self.back_mm + (self.front_mm - self.back_mm) * fraction
        sag = 0.0 if self.middle_mm is None else (self.back_mm + self.front_mm) / 2 - self.middle_mm
        return straight - sag * (1 - (2 * fraction - 1) ** 2)

    @property
    def mean_height_mm(self) -> float:
        """Height half-way between back and front on the straight line."""
        return (self.back_mm + self.front_mm) / 2

    @property
    def wedge_deg(self) -> float:
        """Angle between both faces at their rims, positive when higher in front."""
        return float(
            np.rad2deg(2 * np.arctan((self.front_mm - self.back_mm) / (2 * self.depth_mm)))
        )

    def inside(self, local: np.ndarray) -> np.ndarray:
        """Return which points (n, 3) of the link's frame lie inside."""
        r, a, s = local.T
        u, v = np.abs(2 * r / self.width_mm), np.abs(2 * a / self.depth_mm)
        fraction = np.clip(a / self.depth_mm + 0.5, 0, 1)
        tall = np.abs(s) <= self.height_at(fraction) / 2
        return (u**self.exponent + v**self.exponent < 1) & tall


def body(label: int, height: float, depth: float = 30.0, width: float = 42.0, **more) -> Link:
    """Return a body of one height."""
    return Link(label, height, height, depth, width, **more)


def disc(above: int, back: float, front: float, depth: float = 34.0, width: float = 44.0) -> Link:
    """Return the disc below a vertebra."""
    return Link(L.DISC_OFFSET + above, back, front, depth, width)


@dataclass(frozen=True)
class ChainSpine:
    """Links from the top down, and what lies behind them.

    `canal` and `cord` are sections; or functions from the distance (mm, downwards) from the top of the chain to a
    section. The lowest link's lower neighbour may be a sacrum, a block of 40 mm height.
    """

    links: Sequence[Link]
    canal: Section | Callable = (16.0, 24.0)
    cord: Section | Callable | None = (7.0, 11.0)
    sacrum: bool = False
    plate_mm: float = 1.0

    def frames(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return (middle in mm, columns right, anterior and superior) of each link."""
        found, pitch, at = [], 0.0, np.zeros(3)
        for link in self.links:
            pitch -= np.deg2rad(link.wedge_deg) / 2
            axes = _pitched(pitch)
            found.append((at - axes[:, 2] * link.mean_height_mm / 2, axes))
            at = at - axes[:, 2] * link.mean_height_mm
            pitch -= np.deg2rad(link.wedge_deg) / 2
        return found

    def end(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (point, axes) at the lower end of the chain."""
        pitch = -sum(np.deg2rad(link.wedge_deg) for link in self.links)
        middle, axes = self.frames()[-1]
        return middle - axes[:, 2] * self.links[-1].mean_height_mm / 2, _pitched(pitch)


def _pitched(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def render(
    spine: ChainSpine,
    spacing_mm: Sequence[float] = (3.3, 0.86, 0.86),
    pose: np.ndarray | None = None,
    shift_mm: Sequence[float] = (0.0, 0.0, 0.0),
    margin_mm: float = 14.0,
) -> tuple[Volume, Volume]:
    """Draw the label maps on a grid with RAS axes that holds all of the chain; `pose` rotates it first."""
    pose = np.eye(3) if pose is None else pose
    frames = [(pose @ middle, pose @ axes) for middle, axes in spine.frames()]
    boxes = [
        _corners(frame, link.width_mm, link.depth_mm + 40, link.mean_height_mm + 6)
        for frame, link in zip(frames, spine.links, strict=True)
    ]
    if spine.sacrum:
        point, axes = spine.end()
        frames.append((pose @ (point - axes[:, 2] * 20.0), pose @ axes))
        boxes.append(_corners(frames[-1], 50, 70, 46))
    corners = np.vstack(boxes)
    low, high = corners.min(0) - margin_mm, corners.max(0) + margin_mm
    spacing = np.asarray(spacing_mm, float)
    shape = tuple(int(n) for n in np.ceil((high - low) / spacing))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = low + np.asarray(shift_mm) * spacing
    maps = Volume(np.zeros(shape, np.uint8), affine), Volume(np.zeros(shape, np.uint8), affine)
    _draw_canal(spine, frames, boxes, maps)
    for frame, box, link in zip(frames, boxes, spine.links, strict=False):
        _draw_link(spine, link, frame, box, maps)
    if spine.sacrum:
        index, local = _local(frames[-1], boxes[-1], maps[0])
        block = (np.abs(local) < (24, 16, 20)).all(1) & (maps[1].data[tuple(index.T)] == 0)
        for volume in maps:
            volume.data[tuple(index[block].T)] = L.SACRUM
    return maps


def _draw_link(spine, link, frame, box, maps) -> None:
    index, local = _local(frame, box, maps[0])
    inside = link.inside(local)
    where = tuple(index[inside].T)
    maps[0].data[where] = L.DISC if link.is_disc else L.BODY_BORDER
    maps[1].data[where] = link.label
    if link.is_disc or link.label == L.LEVEL_LABELS["C2"]:
        return
    fraction = np.clip(local[:, 1] / link.depth_mm + 0.5, 0, 1)
    plate = inside & (np.abs(local[:, 2]) > link.height_at(fraction) / 2 - spine.plate_mm)
    where = tuple(index[plate].T)
    maps[0].data[where], maps[1].data[where] = L.ENDPLATE, L.ENDPLATE_OFFSET + link.label
    arch = (np.abs(local[:, 0]) < 8) & (np.abs(local[:, 2]) < 5)
    behind = -link.depth_mm / 2 - local[:, 1]
    arch &= (behind > 20) & (behind < 25)
    where = tuple(index[arch].T)
    maps[0].data[where], maps[1].data[where] = L.ARCUS, link.label


def slab(maps: Volume, first_mm: float, last_mm: float) -> Volume:
    """Return the sagittal slices of a map (RAS+ axes) between two positions."""
    at = maps.affine[0, 3] + maps.affine[0, 0] * np.arange(maps.data.shape[0])
    chosen = np.flatnonzero((at >= first_mm) & (at <= last_mm))
    affine = maps.affine.copy()
    affine[0, 3] = at[chosen[0]]
    return Volume(maps.data[chosen[0] : chosen[-1] + 1].copy(), affine)


def _draw_canal(spine, frames, boxes, maps) -> None:
    """Draw canal and cord behind every link, as ellipses at right angles to it."""
    shape = spine.links[0]
    done = 0.0
    for k, (frame, box) in enumerate(zip(frames, boxes, strict=True)):
        link = spine.links[min(k, len(spine.links) - 1)]
        height = 40.0 if k == len(spine.links) else link.mean_height_mm
        index, local = _local(frame, box, maps[0])
        down = done + height / 2 - local[:, 2]
        near = np.abs(local[:, 2]) < height / 2 + 2
        for label, given in ((L.CANAL, spine.canal), (L.CORD, spine.cord)):
            if given is None:
                continue
            sizes = np.array([given(d) for d in down]) if callable(given) else np.array([given])
            canal = spine.canal(0.0) if callable(spine.canal) else spine.canal
            middle = -shape.depth_mm / 2 - GAP_MM - canal[0] / 2
            x, y = 2 * local[:, 0] / sizes[:, 1], 2 * (local[:, 1] - middle) / sizes[:, 0]
            inside = near & (x**2 + y**2 < 1)
            maps[0].data[tuple(index[inside].T)] = label
        done += height


def _corners(frame, width: float, depth: float, height: float) -> np.ndarray:
    signs = np.array(np.meshgrid(*[(-0.5, 0.5)] * 3)).reshape(3, -1).T
    return frame[0] + (signs * (width, depth, height)) @ frame[1].T


def _local(frame, box: np.ndarray, volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Return the voxels (n, 3) in the box about some world points, and their place in a frame."""
    at = volume.grid.to_index(box)
    low = np.maximum(np.floor(at.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(at.max(0)).astype(int) + 1, volume.data.shape)
    index = np.indices(high - low).reshape(3, -1).T + low
    return index, (volume.grid.to_world(index) - frame[0]) @ frame[1]
