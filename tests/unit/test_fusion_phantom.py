"""Fused annotations of a phantom: three sources, each with errors of its own in every structure."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.faulty_sources import cropped_phantom, faulty_sources, in_other_numbers

from wirbel.core import labels as L
from wirbel.core.evaluation.metrics.overlap import STRUCTURES, dice
from wirbel.core.fusion.combining import Ways
from wirbel.core.fusion.fuse import IGNORE, fuse

SEEDS = (94001, 94002)
PAIRS = {name: name.removesuffix("_left").removesuffix("_right") for name in STRUCTURES}
"""Left and right processes are one structure here: each has a few hundred voxels only."""


@pytest.fixture(scope="module")
def truth():
    """Subregion and vertebra maps of two phantoms."""
    return [cropped_phantom(seed, in_plane_mm=1.2) for seed in SEEDS]


@pytest.fixture(scope="module")
def sources(truth):
    return [faulty_sources(*maps, seed) for maps, seed in zip(truth, SEEDS, strict=True)]


@pytest.fixture(scope="module")
def staple(truth, sources):
    return [fuse(given, maps[0].grid) for given, maps in zip(sources, truth, strict=True)]


def scores(truth, found):
    """Return the Dice of every structure over the voxels of both phantoms."""
    mine = np.concatenate([labels.ravel() for labels in found])
    true = np.concatenate([maps[0].data.ravel() for maps in truth])
    members: dict[str, list[int]] = {}
    for name, labels in STRUCTURES.items():
        members.setdefault(PAIRS[name], []).extend(labels)
    values = {name: dice(np.isin(true, m), np.isin(mine, m)) for name, m in members.items()}
    return {name: value for name, value in values.items() if value is not None}


def maps_of(fused):
    return [one.subregion.data for one in fused]


def test_the_fused_map_beats_every_source_in_every_structure(truth, sources, staple):
    mine = scores(truth, maps_of(staple))
    assert len(mine) == 11
    for place in range(3):
        theirs = scores(truth, [given[place].numbers.data for given in sources])
        better = {name: (theirs[name], mine[name]) for name in mine if theirs[name] >= mine[name]}
        assert not better, f"{sources[0][place].name} is better"


def test_it_beats_plain_majority_on_average(truth, sources, staple):
    majority = [
        fuse(given, maps[0].grid, Ways("vote")) for given, maps in zip(sources, truth, strict=True)
    ]
    mine, theirs = (scores(truth, maps_of(one)) for one in (staple, majority))
    assert np.mean(list(mine.values())) > np.mean(list(theirs.values())) + 0.005


def test_the_disagreement_map_shows_four_of_five_wrong_voxels(truth, staple):
    for (subregion, _), fused in zip(truth, staple, strict=True):
        true = np.where(subregion.data == L.BODY, L.BODY_BORDER, subregion.data)
        wrong = fused.subregion.data != true
        assert (fused.disagreement.data[wrong] > 0).mean() >= 0.8
        ignored = fused.training.data == IGNORE
        assert wrong[ignored].mean() > 2 * wrong[~ignored & (true > 0)].mean()


def test_vertebrae_that_one_source_lacks_keep_their_names(truth, staple):
    for (subregion, vertebra), fused in zip(truth, staple, strict=True):
        true = set(np.unique(vertebra.data)) & set(L.LEVEL_NAMES)
        assert set(np.unique(fused.vertebra.data)) & set(L.LEVEL_NAMES) == true
        both = np.isin(subregion.data, L.BODY_LABELS)
        both &= np.isin(fused.subregion.data, L.BODY_LABELS)
        assert (fused.vertebra.data[both] == vertebra.data[both]).mean() > 0.99


SPIDER = {**dict.fromkeys(L.VERTEBRA_SUBREGIONS, 1), L.DISC: 2, L.CANAL: 3, L.CORD: 3}


def test_a_source_of_unions_makes_whole_vertebrae_better_and_leaves_their_parts_alone(
    truth, sources
):
    """Two sources with all structures; the third one in SPIDER's three numbers."""
    (subregion, _), (first, second, third) = truth[0], sources[0]
    union = in_other_numbers(third, "spider_merged", SPIDER)
    without = fuse([first, second], subregion.grid).subregion.data
    with_union = fuse([first, second, union], subregion.grid).subregion.data
    wholes = {"vertebra": L.VERTEBRA_SUBREGIONS, "canal": (L.CANAL, L.CORD), "disc": (L.DISC,)}
    for members in wholes.values():
        true = np.isin(subregion.data, members)
        before, after = (dice(true, np.isin(one, members)) for one in (without, with_union))
        assert after > before + 0.005
    parts = scores(truth[:1], [with_union])
    assert parts["spinal_cord"] > scores(truth[:1], [without])["spinal_cord"] - 0.02
