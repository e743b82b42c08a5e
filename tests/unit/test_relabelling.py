"""New numbers for vertebrae, with their discs and endplates."""

import numpy as np
import pytest

from wirbel.core.geometry import Volume
from wirbel.core.labelling.level_axis import REPEATING
from wirbel.core.labelling.named_maps import name_maps
from wirbel.core.levels.naming import Levels
from wirbel.core.levels.relabelling import placeholders, renamed
from wirbel.core.merging.map_types import CountedMaps


def test_placeholders_hold_every_vertebra_and_leave_room_for_the_disc_above():
    assert placeholders(5) == (3, 4, 5, 6, 7)
    assert placeholders(23) == tuple(range(3, 26))
    assert placeholders(24) == tuple(range(2, 26))
    assert placeholders(26) == (*range(2, 26), 0, 0)


def test_discs_and_endplates_follow_their_vertebra_and_the_sacrum_stays():
    before = np.array([0, 102, 202, 3, 103, 203, 4, 104, 204, 26, 126, 226, 9, 109])
    after = [0, 119, 219, 20, 120, 220, 21, 121, 221, 26, 126, 226, 0, 0]
    assert renamed(before, {3: 20, 4: 21}).tolist() == after


def test_t13_stands_between_t12_and_l1():
    before = np.array([102, 3, 103, 4, 104, 204, 5])
    assert renamed(before, {3: 19, 4: 28, 5: 20}).tolist() == [118, 19, 119, 28, 128, 228, 20]
    assert renamed(before, {3: 28, 4: 20, 5: 21}).tolist() == [119, 28, 128, 20, 120, 220, 21]


def test_above_c2_there_is_no_level_and_a_vertebra_without_a_name_goes():
    assert renamed(np.array([102, 202, 3, 103]), {3: 2}).tolist() == [0, 0, 2, 102]
    assert renamed(np.array([3, 103, 4, 104]), {3: 0, 4: 9}).tolist() == [0, 108, 9, 109]
    assert renamed(np.array([3, 103, 26]), {}).tolist() == [0, 0, 26]


def counted_maps(subregion, vertebra, affine, levels):
    """Maps on one line of voxels whose topmost vertebra has number 3."""
    subregion, vertebra = (
        Volume(np.array(data, np.uint8).reshape(1, 6, 1), affine) for data in (subregion, vertebra)
    )
    return CountedMaps(subregion, vertebra, levels, (3, 4, 5))


@pytest.fixture
def lumbar():
    """Three vertebrae in a row, a disc below each; counting calls them L3 to L5."""
    counted = Levels((22, 23, 24), 0.88, "sacrum", None, ("gap",))
    vertebra, subregion = [3, 103, 4, 104, 5, 26], [49, 100, 49, 100, 49, 26]
    return counted_maps(subregion, vertebra, np.eye(4), counted)


@pytest.fixture
def cervical():
    """C1, which has no body, C2 with its dens, and C3; each voxel is a thousand cubic millimetres."""
    vertebra, subregion = [3, 4, 4, 104, 5, 105], [41, 51, 49, 100, 49, 100]
    counted = Levels((1, 2, 3), 0.0, "counted", None, ())
    return counted_maps(subregion, vertebra, np.diag([10.0, 10.0, 10.0, 1.0]), counted)


def told(names, sure=0.7):
    heads = np.full((len(names), 24), (1 - sure) / 23)
    heads[range(len(names)), [REPEATING.names.index(name) for name in names]] = sure
    return {"VERT": heads}


def numbers_in(maps):
    return maps.vertebra.data.ravel().tolist()


def test_the_networks_names_replace_those_of_counting(lumbar):
    found = name_maps(lumbar, [3, 4, 5], told(["L2", "L3", "L4"]))
    assert numbers_in(found) == [21, 121, 22, 122, 23, 26]
    assert (found.subregion.data == lumbar.subregion.data).all()
    flags = ("counting_disagrees", "gap")
    assert found.levels == Levels((21, 22, 23), 0.7, "labelling", None, flags)


def test_agreement_is_not_flagged_and_a_vertebra_without_a_body_is_dropped_from_both_maps(lumbar):
    found = name_maps(lumbar, [3, 4], told(["L3", "L4"]))
    assert numbers_in(found) == [22, 122, 23, 123, 0, 26]
    assert found.subregion.data.ravel().tolist() == [49, 100, 49, 100, 0, 26]
    assert found.levels.flags == ("gap",) and found.levels.method == "labelling"


def test_where_no_sequence_fits_the_names_are_counted(lumbar):
    found = name_maps(lumbar, [], {})
    assert numbers_in(found) == [22, 122, 23, 123, 24, 26]
    assert found.levels.method == "sacrum" and found.levels.flags == ("gap", "no_sequence")


def test_a_dens_tells_c2_and_what_lies_above_it_without_a_body_is_c1(cervical):
    heads = told(["C5", "C6"])
    found = name_maps(cervical, [4, 5], heads, with_c1=True)
    assert numbers_in(found) == [1, 2, 2, 102, 3, 103]
    levels = found.levels
    assert (levels.labels, levels.method, levels.flags) == ((1, 2, 3), "labelling", ())
    found = name_maps(cervical, [4, 5], heads)
    assert numbers_in(found) == [0, 5, 5, 105, 6, 106], "without C1 the network decides"


def test_the_topmost_may_be_c1_only_where_the_first_network_shows_it(lumbar):
    heads = told(["C1", "C2", "C3"])
    for with_c1, labels in ((True, (1, 2, 3)), (False, (2, 3, 4))):
        assert name_maps(lumbar, [3, 4, 5], heads, with_c1).levels.labels == labels
