"""Vertebral bodies one by one: what a label map calls body is cut, joined, given to the sacrum or set aside."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wirbel.core.components import Components, voxel_volume_mm3, voxels_of
from wirbel.core.geometry import Volume, reorient, stored_like
from wirbel.core.instances.body_cuts import Part, cut_merged
from wirbel.core.labels import BODY_LABELS, LEVEL_LABELS, SACRUM
from wirbel.core.spine.decision import Decision, decide
from wirbel.core.spine.sightings import Sightings, look
from wirbel.core.spine.states import LABELS, SACRAL
from wirbel.core.spine.weights import SURE_SACRUM_MM3
from wirbel.core.spine_curve import Chain, column_components, spine_chain

SMALLEST_PIECE_MM3 = 100.0
"""Smaller components are specks; a 2 mm slice of C3 has 300 mm3."""
MOST_PIECES = 48
"""The largest ones that are looked at: twice the vertebrae of a spine."""
SMALLEST_SPACING_MM = 15.0
"""Spacing of C4-C5 in small women (Gilad and Nissan, Spine 1986;11:154: body 12, disc 4 mm)."""


@dataclass(frozen=True)
class Bodies:
    """Vertebral bodies from the top of the spine down.

    `numbers` (I, J, K) uint8, 1 ... n; `centre_mm` (n, 3) world; `arc_mm` (n,) along `chain`; `volume_mm3` (n,);
    `cut` (n,) whether the body was cut out of a larger, merged component. `sacral` and `set_aside` (I, J, K) bool:
    voxels called body that belong to the sacrum, and to nothing; `parts_set_aside` how many pieces these are, specks
    below `SMALLEST_PIECE_MM3` left out. `decision` says how sure all that is, its groups
    above the sacrum are the bodies; None without any.
    """

    numbers: np.ndarray
    centre_mm: np.ndarray
    arc_mm: np.ndarray
    volume_mm3: np.ndarray
    cut: np.ndarray
    chain: Chain | None
    sacral: np.ndarray
    set_aside: np.ndarray
    parts_set_aside: int
    seen: Sightings | None
    decision: Decision | None

    def __len__(self) -> int:
        return len(self.arc_mm)


def separate_bodies(labels: Volume) -> Bodies:
    """Separate the vertebral bodies of a cleaned subregion map, in any orientation."""
    turned = reorient(labels)  # samples and ties must not hang on storage
    found = _separated(turned)
    numbers, sacral, set_aside = (
        stored_like(turned.with_data(data), labels.grid).data
        for data in (found.numbers, found.sacral, found.set_aside)
    )
    return replace(found, numbers=numbers, sacral=sacral, set_aside=set_aside)


def _separated(labels: Volume) -> Bodies:
    components = column_components(labels)
    chain = spine_chain(labels, components)
    parts, discs = ([], []) if chain is None else _parts(labels, components, chain)
    if chain is None or not parts:
        return _none(labels, chain)
    parts = cut_merged(parts, discs, chain)
    seen = look(parts, discs, labels, chain)
    decision = decide(seen)
    assert decision is not None  # there are parts
    owner = _owners(parts, decision)
    joined = [_joined(parts, np.flatnonzero(owner == g)) for g in range(len(decision.groups))]
    groups = joined[: len(decision.bodies)]
    numbers, sacral = np.zeros(labels.data.shape, np.uint8), np.zeros(labels.data.shape, bool)
    for number, part in enumerate(groups, start=1):
        numbers[tuple(part.voxels.T)] = number
    for part in joined[len(groups) :]:
        sacral[tuple(part.voxels.T)] = True
    return Bodies(
        numbers,
        np.array([part.world_mm.mean(0) for part in groups]).reshape(-1, 3),
        np.array([part.middle_mm for part in groups]),
        np.array([part.volume_mm3 for part in groups]),
        _are_cut(groups),
        chain,
        sacral,
        np.isin(labels.data, BODY_LABELS) & (numbers == 0) & ~sacral,
        int((owner < 0).sum()) + len(joined) - len(groups),
        seen,
        decision,
    )


def _none(labels: Volume, chain: Chain | None) -> Bodies:
    no = np.zeros(labels.data.shape, bool)
    numbers, empty = no.astype(np.uint8), np.zeros(0)
    bodies = np.isin(labels.data, BODY_LABELS)
    return Bodies(
        numbers,
        empty.reshape(0, 3),
        empty,
        empty,
        empty.astype(bool),
        chain,
        no,
        bodies,
        0,
        None,
        None,
    )


def _owners(parts: list[Part], decision: Decision) -> np.ndarray:
    """Return the group of each piece, -1 for those that are set aside.

    A piece that no group holds, but that hangs together with one, is part of the nearest such.
    """
    owner = np.full(len(parts), -1)
    for g, group in enumerate(decision.groups):
        owner[group.first : group.last + 1] = g
    kept = np.flatnonzero(owner >= 0)
    for i in np.flatnonzero(owner < 0):
        whole = [k for k in kept if parts[k].component == parts[i].component]
        if whole:
            nearest = min(whole, key=lambda k: abs(parts[k].middle_mm - parts[i].middle_mm))
            owner[i] = owner[nearest]
    return owner


def settle(labels: Volume) -> tuple[Volume, Bodies]:
    """Return the map in which only the bodies of vertebrae are called body, and those bodies.

    Segments of the sacrum become sacrum, other pieces background, and so does a small sacrum below a vertebra that
    cannot be the last one above it. Everything after the semantic phase begins here.
    """
    bodies = separate_bodies(labels)
    data = labels.data.copy()
    if _has_false_sacrum(data, voxel_volume_mm3(labels.affine), bodies.decision):
        data[data == SACRUM] = 0
    data[bodies.sacral] = SACRUM
    data[bodies.set_aside] = 0
    return labels.with_data(data), bodies


def _has_false_sacrum(data: np.ndarray, voxel_mm3: float, decision: Decision | None) -> bool:
    """Whether what is called sacrum is none: the decision does without it, and its last vertebra lies above L4.

    A large one stays whatever the decision is: the names may be wrong, and a flag says so.
    """
    if decision is None or decision.with_sacrum or SACRAL[list(decision.states)].any():
        return False
    if LABELS[decision.states[-1]] >= LEVEL_LABELS["L4"]:
        return False
    return bool(0 < np.count_nonzero(data == SACRUM) * voxel_mm3 < SURE_SACRUM_MM3)


def _parts(labels: Volume, components: Components, chain: Chain) -> tuple[list[Part], list[Part]]:
    """Return the components of bodies and those of discs, each from the top down."""
    voxel_mm3 = voxel_volume_mm3(labels.affine)
    found: tuple[list[Part], list[Part]] = ([], [])
    for i in _largest(components):
        voxels = voxels_of(components.numbers, i + 1, components.boxes[i])
        world = labels.grid.to_world(voxels)
        arc, offset = chain.locate(world)
        part = Part(voxels, world, arc, offset, voxel_mm3, component=int(i))
        found[components.label[i] - 1].append(part)
    bodies, discs = (sorted(parts, key=lambda part: part.middle_mm) for parts in found)
    return bodies, discs


def _largest(components: Components) -> np.ndarray:
    """Return the components of bodies and of discs that are looked at."""
    volume = components.volume_mm3
    by_kind = [
        of_kind[np.argsort(-volume[of_kind], kind="stable")][:MOST_PIECES]
        for of_kind in (np.flatnonzero(components.label == kind) for kind in (1, 2))
    ]
    kept = np.sort(np.concatenate(by_kind))
    return kept[volume[kept] >= SMALLEST_PIECE_MM3]


def _joined(parts: list[Part], members: np.ndarray) -> Part:
    part = parts[members[0]]
    for i in members[1:]:
        part = part.with_part(parts[i])
    return part


def _are_cut(groups: list[Part]) -> np.ndarray:
    """Return whether each body shares its component with the one above or below."""
    own = [part.component for part in groups]
    same = np.array([a == b for a, b in zip(own, own[1:], strict=False)], bool)
    return np.append(same, False)[: len(own)] | np.append(False, same)[: len(own)]


def usual_spacing(arc_mm: np.ndarray) -> float:
    """Return the usual distance between neighbouring centres, never below `SMALLEST_SPACING_MM`.

    The upper quartile, because fragments only ever add distances that are too short.
    """
    if len(arc_mm) < 2:
        return SMALLEST_SPACING_MM
    return max(float(np.quantile(np.diff(arc_mm), 0.6)), SMALLEST_SPACING_MM)
