"""`compatibility: spineps`, around the second network: cleaning, cut-outs, couples, both maps, numbers."""

from dataclasses import replace

import numpy as np
import pytest
from support.models.inference_settings import SETTINGS
from support.spines.spine_boxes import SPACING_MM, box_spine, counters, oracle

from wirbel.core.geometry import Grid, Volume
from wirbel.core.instances.network_results import Found
from wirbel.core.instances.predicted_vertebrae import Predictions
from wirbel.core.labels import (
    ARCUS,
    BODY_BORDER,
    CANAL,
    COSTAL_LEFT,
    DISC,
    INFERIOR_ARTICULAR_LEFT,
    SACRUM,
    SPINOUS_PROCESS,
    VERTEBRA_SUBREGIONS,
)
from wirbel.core.levels.naming import Levels
from wirbel.core.merging.map_types import CountedMaps
from wirbel.core.spineps.grids import resample, rounded
from wirbel.core.spineps.instances.body_centres import body_centres
from wirbel.core.spineps.instances.body_splits import split_body
from wirbel.core.spineps.instances.couples import merge_predictions
from wirbel.core.spineps.merging import both_maps as merging
from wirbel.core.spineps.merging.endplates import lost_endplates
from wirbel.core.spineps.merging.naming import named_as_spineps, named_maps
from wirbel.core.spineps.merging.numbering import from_the_top, number_rest
from wirbel.core.spineps.merging.reconciliation import move_posterior_pieces, reconcile
from wirbel.core.spineps.semantic_cleaning import clean_semantic
from wirbel.errors import ScanError
from wirbel.models.folders.inference_config import parse_inference_config

MAPPING = dict.fromkeys(VERTEBRA_SUBREGIONS, 1)
SEMANTIC = parse_inference_config(SETTINGS, "a test")
INSTANCE = replace(
    SEMANTIC, resolution_range=SPACING_MM, cutout_size=(120, 130, 32), mapping=MAPPING
)


def answers(labels, predictions):
    """What the networks answer about a map that is its own scan."""
    return Found(labels, predictions, labels.spacing_mm, labels.grid)


def merged(spine, labels=None):
    labels = labels or spine.labels
    _, _, centre_mm = merging.cut_outs(labels, INSTANCE)
    found = oracle(labels, counters(spine), centre_mm, INSTANCE.cutout_size)
    return merging.merge(answers(labels, found), SEMANTIC, INSTANCE)


@pytest.mark.parametrize("numbers", [range(2, 25), range(19, 25)])
def test_a_perfect_network_gives_the_true_vertebrae_counted_from_two(numbers):
    spine = box_spine(numbers, sacrum=True)
    found = merged(spine)
    assert np.array_equal(found.subregion.data, spine.labels.data)
    truth = np.where(counters(spine) > 0, counters(spine) + 1, 0)
    truth[spine.labels.data == SACRUM] = SACRUM
    numbered = np.isin(spine.labels.data, (*VERTEBRA_SUBREGIONS, SACRUM))
    assert np.array_equal(np.where(numbered, found.vertebra.data, 0), truth)


def test_discs_and_endplates_carry_the_vertebra_above():
    spine = box_spine(range(20, 25))
    found = merged(spine).vertebra.data
    for place, number in enumerate(spine.numbers, start=2):
        assert set(np.unique(found[spine.vertebra == 100 + number])) == {100 + place}
        assert set(np.unique(found[spine.vertebra == 200 + number])) == {200 + place}


def test_a_map_without_bodies_is_the_scans_fault():
    spine = box_spine((22,), sacrum=False)
    empty = spine.labels.with_data(np.zeros_like(spine.labels.data))
    with pytest.raises(ScanError, match="no_spine_found"):
        merging.cut_outs(empty, INSTANCE)


def test_predictions_of_nothing_are_the_scans_fault():
    spine = box_spine((21, 22), sacrum=False)
    _, origin, centre_mm = merging.cut_outs(spine.labels, INSTANCE)
    nothing = Predictions(np.zeros((2, 120, 130, 32), np.uint8), origin, centre_mm)
    with pytest.raises(ScanError, match="no_spine_found"):
        merging.merge(answers(spine.labels, nothing), SEMANTIC, INSTANCE)


def test_specks_far_parts_and_holes_are_cleaned():
    spine = box_spine((21, 22), sacrum=False)
    data = spine.labels.data.copy()
    speck, far, hole = (60, 3, 2), (slice(0, 8), slice(0, 6), slice(0, 4)), (40, 20, 16)
    data[speck] = SPINOUS_PROCESS
    data[far] = BODY_BORDER
    assert data[hole] == BODY_BORDER
    data[hole] = 0
    cleaned = clean_semantic(spine.labels.with_data(data)).data
    assert cleaned[speck] == 0
    assert not cleaned[far].any()
    assert cleaned[hole] == BODY_BORDER


def test_a_body_is_found_by_what_erosion_leaves_of_it():
    """Two bodies 20 voxels deep joined by a bridge of two voxels: the bridge goes, two centres stay."""
    data = np.zeros((40, 60, 20), np.uint8)
    data[10:30, 5:25, 3:17] = data[10:30, 30:50, 3:17] = BODY_BORDER
    data[15:17, 25:30, 8:10] = BODY_BORDER
    found = body_centres(data, np.array(SPACING_MM), 10)
    assert [round(float(centre[1])) for centre in found] == [40, 14], "from the bottom up"


def test_a_dumbbell_is_split_at_its_waist():
    mask = np.zeros((30, 60, 20), bool)
    mask[5:25, 4:26, 3:17] = mask[5:25, 34:56, 3:17] = True
    mask[10:20, 26:34, 6:14] = True
    lower = split_body(mask)
    assert lower[5:25, 34:56, 3:17].all()
    assert not lower[5:25, 4:26, 3:17].any()


def test_a_block_without_waist_vanishes_in_one_piece_and_is_left_whole():
    mask = np.zeros((30, 60, 20), bool)
    mask[5:25, 4:26, 3:17] = mask[5:25, 26:48, 4:16] = True  # the lower half vanishes first
    assert split_body(mask) is None


def predictions(*blocks) -> Predictions:
    size = len(blocks)
    return Predictions(np.stack(blocks), np.zeros((size, 3), int), np.zeros((size, 3)))


def line(*values) -> np.ndarray:
    """A prediction along the second axis, 4 x n x 4 voxels."""
    return np.broadcast_to(np.array(values, np.uint8)[None, :, None], (4, len(values), 4))


def instances(*blocks, fewest=0) -> list[int]:
    shape = blocks[0].shape
    crop = tuple(slice(0, n) for n in shape)
    return merge_predictions(predictions(*blocks), shape, crop, fewest)[0, :, 0].tolist()


def test_a_voxel_of_a_well_agreeing_triple_needs_two_votes():
    """Three cut-outs show the same vertebra; each alone claims one more voxel at an end."""
    found = instances(
        line(0, 3, 3, 3, 3, 3, 0, 0), line(0, 2, 2, 2, 2, 0, 0, 0), line(0, 1, 1, 1, 1, 0, 0, 0)
    )
    assert found == [0, 1, 1, 1, 1, 0, 0, 0]


def test_one_vote_is_enough_for_a_pair():
    found = instances(line(0, 3, 3, 3, 3, 3, 0, 0), line(0, 2, 2, 2, 2, 0, 0, 0))
    assert found == [0, 1, 1, 1, 1, 1, 0, 0]


def test_a_prediction_covered_by_better_ones_is_left_out():
    """The last cut-out sees a vertebra of which three quarters belong to the well-supported one."""
    found = instances(
        line(0, 2, 2, 2, 2, 2, 2, 0), line(0, 1, 1, 1, 1, 1, 1, 0), line(0, 0, 0, 0, 1, 1, 1, 1)
    )
    assert set(found) == {0, 1}


def test_small_parts_of_an_instance_go():
    found = instances(line(2, 2, 2, 2, 0, 0, 2, 0), fewest=20)
    assert found == [1, 1, 1, 1, 0, 0, 0, 0]


def maps(**structures):
    """Maps of 30 x 30 x 4 voxels: name=(label, instance, rows, columns)."""
    subregion, vertebra = np.zeros((30, 30, 4), np.uint8), np.zeros((30, 30, 4), np.uint16)
    for label, instance, rows, columns in structures.values():
        subregion[rows, columns], vertebra[rows, columns] = label, instance
    return subregion, vertebra


def test_an_articular_process_belongs_to_one_instance():
    subregion, vertebra = maps(
        mine=(INFERIOR_ARTICULAR_LEFT, 1, slice(5, 15), slice(5, 15)),
        other=(INFERIOR_ARTICULAR_LEFT, 2, slice(5, 15), slice(15, 18)),
    )
    reconcile(subregion, vertebra, np.ones(3))
    assert set(np.unique(vertebra[subregion > 0])) == {1}


def test_voxels_without_instance_go_to_the_one_they_touch_or_leave_both_maps():
    subregion, vertebra = maps(
        body=(BODY_BORDER, 1, slice(5, 15), slice(5, 10)),
        missed=(COSTAL_LEFT, 0, slice(5, 15), slice(10, 20)),
        lost=(COSTAL_LEFT, 0, slice(25, 28), slice(25, 28)),
    )
    reconcile(subregion, vertebra, np.ones(3))
    assert (vertebra[5:15, 10:20] == 1).all()
    assert not subregion[25:28, 25:28].any()


def test_a_loose_arch_goes_to_the_only_other_instance_it_touches():
    subregion, vertebra = maps(
        body=(BODY_BORDER, 1, slice(2, 12), slice(2, 12)),
        below=(BODY_BORDER, 2, slice(2, 12), slice(16, 26)),
        arch=(ARCUS, 1, slice(12, 16), slice(20, 24)),
    )
    move_posterior_pieces(subregion, vertebra)
    assert (vertebra[12:16, 20:24] == 2).all()


@pytest.mark.parametrize("upside_down", [False, True])
def test_a_small_piece_on_top_joins_the_vertebra_it_touches(upside_down):
    """The top is where the file's second axis begins, as in SPINEPS."""
    subregion, vertebra = maps(
        dens=(BODY_BORDER, 1, slice(8, 14), slice(2, 6)),
        axis=(BODY_BORDER, 2, slice(4, 24), slice(6, 16)),
        disc=(DISC, 0, slice(4, 24), slice(16, 18)),
        canal=(CANAL, 0, slice(26, 28), slice(0, 30)),
    )
    if upside_down:
        subregion, vertebra = subregion[:, ::-1].copy(), vertebra[:, ::-1].copy()
    reconcile(subregion, vertebra, np.ones(3))
    assert (1 in vertebra) == upside_down


@pytest.mark.parametrize("rows", [slice(2, 4), slice(0, 1)])
def test_a_disc_above_the_first_vertebra_is_numbered_as_spineps_does(rows):
    """With a sacrum in view the body-less sacrum counts as the highest: 126 instead of 101, in the first row too."""
    subregion, vertebra = maps(
        disc=(DISC, 0, slice(4, 20), rows), body=(BODY_BORDER, 7, slice(4, 20), slice(4, 14))
    )
    at = (5, rows.start, 0)
    assert number_rest(subregion, from_the_top(vertebra, 2), (SACRUM,), (80,))[at] == 101
    subregion[4:20, 20:28] = SACRUM
    found = number_rest(subregion, from_the_top(vertebra, 2), (SACRUM,), (80,))
    assert found[at] == 126
    assert found[5, 5, 0] == 2
    assert found[5, 22, 0] == SACRUM


def unnumbered(spine):
    _, _, centre_mm = merging.cut_outs(spine.labels, INSTANCE)
    found = oracle(spine.labels, counters(spine), centre_mm, INSTANCE.cutout_size)
    return merging.unnumbered(answers(spine.labels, found), SEMANTIC, INSTANCE)


def test_for_a_labelling_network_the_vertebrae_are_counted_and_nothing_else_has_a_number():
    spine = box_spine(range(18, 23), sacrum=True)
    found = unnumbered(spine)
    assert np.unique(found.vertebra.data).tolist() == [0, 2, 3, 4, 5, 6]
    assert found.levels.labels == (2, 3, 4, 5, 6)
    columns = np.nonzero(spine.labels.data.any((1, 2)))[0]
    margin = int(1.5 / min(SPACING_MM))
    assert margin and found.seen[0] == slice(columns[0] - margin, columns[-1] + 1 + margin)
    assert np.array_equal(
        merging.numbered(found, SEMANTIC).vertebra.data, merged(spine).vertebra.data
    )


def test_discs_and_endplates_follow_the_names_of_a_labelling_network():
    """Its names come first, as there: the disc below a T13 is 128, and only then are endplates parted."""
    spine = box_spine(range(18, 23), sacrum=True)
    names = dict(zip(range(2, 7), (18, 19, 28, 20, 21), strict=True))
    _, vertebra = named_as_spineps(unnumbered(spine), SEMANTIC, names)
    for own, name in zip(spine.numbers, names.values(), strict=True):
        for offset in (0, 100, 200):
            place = spine.vertebra == offset + own
            assert set(np.unique(vertebra.data[place])) <= {offset + name, 0}
            assert (vertebra.data[place] == offset + name).mean() > 0.5
    assert set(np.unique(vertebra.data[spine.labels.data == SACRUM])) == {SACRUM}


def test_a_vertebra_without_a_name_leaves_the_vertebra_map_alone():
    spine = box_spine(range(18, 23), sacrum=True)
    subregion, vertebra = named_as_spineps(
        unnumbered(spine), SEMANTIC, {3: 19, 4: 20, 5: 21, 6: 22}
    )
    first = spine.vertebra == 18
    assert not vertebra.data[first].any()
    assert np.array_equal(subregion.data[first], spine.labels.data[first])


@pytest.mark.parametrize(("names_of", "number"), [(named_as_spineps, 126), (named_maps, 118)])
def test_the_disc_above_a_named_vertebra(names_of, number):
    subregion, vertebra = maps(
        disc=(DISC, 0, slice(4, 20), slice(2, 4)), body=(BODY_BORDER, 2, slice(4, 20), slice(4, 14))
    )
    subregion[4:20, 20:28] = SACRUM
    affine = box_spine((22,)).labels.affine
    maps_of = Volume(subregion, affine), Volume(vertebra.astype(np.uint8), affine)
    found = CountedMaps(*maps_of, Levels((2,), 0.0, "counted", None, ()), (2,))
    named = names_of(found, SEMANTIC, {2: 19})[1].data
    assert (named[5, 2, 0], named[5, 5, 0], named[5, 22, 0]) == (number, 19, SACRUM)


def test_an_endplate_reached_first_by_a_vertebra_it_does_not_belong_to_is_lost():
    """A plate numbered by the upper vertebra lies on the third one, which is neither its own nor next."""
    vertebra = np.zeros((8, 20, 8), np.uint8)
    vertebra[2:6, 0:4], vertebra[2:6, 6:8], vertebra[2:6, 12:16] = 2, 3, 4
    plates = np.zeros_like(vertebra, bool)
    plates[2:6, 4:5] = plates[2:6, 11:12] = True
    vertebra[2:6, 4:5] = vertebra[2:6, 11:12] = 202
    lost = lost_endplates(plates, vertebra)
    assert not lost[2:6, 4:5].any()
    assert lost[2:6, 11:12].all()


def test_what_the_network_claims_of_the_background_is_dropped():
    """Also outside the box around all structures."""
    spine = box_spine(range(20, 23), sacrum=False, bottom_margin=40)
    _, _, centre_mm = merging.cut_outs(spine.labels, INSTANCE)
    found = oracle(spine.labels, counters(spine), centre_mm, INSTANCE.cutout_size)
    found.labels[-1][found.labels[-1] == 0] = 3
    result = merging.merge(answers(spine.labels, found), SEMANTIC, INSTANCE)
    assert not result.vertebra.data[spine.labels.data == 0].any()


def test_between_two_model_voxels_the_rounding_of_the_scans_origin_decides():
    """Scan voxels of 1.5 mm on model voxels of 3 mm: every second one has two nearest, and takes the lower one
    where the origin is rounded downwards, as this one of a real scan is."""
    model, scan = np.diag([1, 1, 3.0, 1]), np.diag([1, 1, 1.5, 1])
    scan[2, 3] = -55.72917556762695
    model[2, 3] = scan[2, 3] - 6
    labels = Volume(np.arange(6, dtype=np.uint8).reshape(1, 1, 6), model)
    grid = Grid((1, 1, 6), scan)
    assert resample(labels, grid, 0).data.ravel().tolist() == [2, 3, 3, 4, 4, 5]
    assert resample(labels, rounded(grid), 0).data.ravel().tolist() == [2, 2, 3, 3, 4, 4]
