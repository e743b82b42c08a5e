"""Signal ratios of any image: the right number, or a status that says why there is none."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.spines.solid_spine import L3, L4, SolidSpine, render, rotation

from wirbel.core import labels as L
from wirbel.core.dictionary import TABLES
from wirbel.core.geometry import Volume
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.signal.signals import add_signal_ratios, picture_of
from wirbel.core.measures.spine import Spine
from wirbel.core.preparation.intake import check_scan
from wirbel.errors import ScanError
from wirbel.io.nifti.volumes import read_volume

BODY, DISC, FLUID, CORD, FAT = 120.0, 210.0, 600.0, 250.0, 400.0
EXPECTED = {L3: BODY / FLUID, L4: BODY / FLUID, "disc": DISC / FLUID}
MAPS = LabelMaps(*render(SolidSpine(), (3.3, 1.2, 1.2), rotation(5, 3, 0)))
SPINE = Spine(MAPS)


def scan() -> np.ndarray:
    """Each structure has its brightness, fat and air lie around, and noise of 5 over all."""
    labels = MAPS.subregion.data
    image = np.full(labels.shape, FAT)
    image[:, :, ::2] = 10
    for value, numbers in (
        (BODY, (L.BODY, L.BODY_BORDER)),
        (DISC, (L.DISC,)),
        (FLUID, (L.CANAL,)),
        (CORD, (L.CORD,)),
    ):
        image[np.isin(labels, numbers)] = value
    return image + np.random.default_rng(0).normal(0, 5, image.shape).clip(-9, 9)


SCAN = scan()


def signals(image: np.ndarray | None) -> dict:
    """Return structure -> (ratio, status)."""
    vertebrae, discs = [{"label": L3}, {"label": L4}], [{"label_above": L3}]
    volume = None if image is None else Volume(image, MAPS.subregion.affine)
    add_signal_ratios(picture_of(volume), MAPS, SPINE, vertebrae, discs)
    found = {r["label"]: (r["body_to_csf_ratio"], r["body_signal_status"]) for r in vertebrae}
    return found | {"disc": (discs[0]["disc_to_csf_ratio"], discs[0]["disc_signal_status"])}


def statuses(image: np.ndarray | None) -> set[str]:
    found = signals(image)
    assert all((ratio is None) == (status != "ok") for ratio, status in found.values())
    return {status for _, status in found.values()}


def fluid_voxels() -> np.ndarray:
    return np.argwhere(MAPS.subregion.data == L.CANAL)


def test_ratios_are_those_of_the_structures():
    for structure, (ratio, status) in signals(SCAN).items():
        assert status == "ok"
        assert ratio == pytest.approx(EXPECTED[structure], rel=0.02)


def test_one_voxel_without_a_number_in_the_fluid_changes_nothing():
    """It emptied the ratios of all bodies within 45 mm, with the status ok."""
    image = SCAN.copy()
    image[tuple(fluid_voxels()[len(fluid_voxels()) // 2])] = np.nan
    for structure, (ratio, status) in signals(image).items():
        assert status == "ok"
        assert ratio == pytest.approx(EXPECTED[structure], rel=0.02)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_structure_without_numbers_says_so_and_the_others_are_measured(value):
    image = SCAN.copy()
    image[MAPS.vertebra.data == L3] = value
    found = signals(image)
    assert found[L3] == (None, "voxels_replaced")
    assert found[L4][1] == found["disc"][1] == "ok"


def test_fluid_without_numbers_leaves_no_ratio():
    assert statuses(np.where(MAPS.subregion.data == L.CANAL, np.nan, SCAN)) == {"voxels_replaced"}


def test_absurd_values_in_a_body_are_none():
    image = SCAN.copy()
    body = np.flatnonzero(MAPS.vertebra.data == L4)[: int(0.015 * image.size)]
    image.reshape(-1)[body] = 1e6
    assert picture_of(Volume(image, np.eye(4))).flags == ["voxels_replaced"]
    assert signals(image)[L3][1] == "ok"


@pytest.mark.parametrize(
    "image",
    [
        SCAN - 32768,
        SCAN + 32768,
        -SCAN,
        (SCAN - SCAN.mean()) / SCAN.std(),
    ],
    ids=["shifted down", "shifted up", "negative", "standardised"],
)
def test_an_image_without_a_zero_has_no_ratios(image):
    assert statuses(image) == {"no_zero"}
    assert picture_of(Volume(image, np.eye(4))).flags == ["no_zero_intensity"]


def test_black_fluid_leaves_no_ratio():
    assert statuses(np.where(MAPS.subregion.data == L.CANAL, 0, SCAN)) == {"dark_fluid"}


def test_without_an_image_there_is_no_ratio():
    assert statuses(None) == {"no_image"}


def test_every_status_is_declared():
    declared = {c.name: c.codes for c in (*TABLES["vertebrae"], *TABLES["discs"])}
    for name in ("body_signal_status", "disc_signal_status"):
        assert {"no_zero", "voxels_replaced", "dark_fluid"} <= declared[name].keys()


TYPES = ("uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")


@st.composite
def stored(draw) -> tuple[np.ndarray, bool]:
    """Return the scan in any type, with any scale and offset, and odd values anywhere; and whether 0 is its zero."""
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    offset = draw(st.sampled_from([0, 0, 0, 0, -1, 1]))
    if dtype.kind == "f":
        most = 38 if dtype.itemsize == 4 else 300
        power = draw(st.integers(4 - most, most - 4))
        image = (SCAN + offset * 1e5) * 10.0**power
    else:
        limits = np.iinfo(dtype)
        room = float(limits.max) / 700
        image = np.rint(SCAN * draw(st.sampled_from([0.3, 1.0, min(room * 0.9, 1e6)])))
        if offset > 0:
            image = image + float(limits.max) * 0.6
        if offset < 0 and limits.min < 0:
            image = image + float(limits.min) * 0.9
        offset = offset if offset > 0 or limits.min < 0 else 0
    image = np.clip(image, *(limits.min, limits.max * (1 - 1e-15))) if dtype.kind != "f" else image
    image = image.astype(dtype)
    odd = [image.max()] if dtype.kind != "f" else [np.nan, np.inf, -np.inf]
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    share = draw(st.sampled_from([0, 1e-5, 0.02, 0.3]))
    image[rng.random(image.shape) < share] = draw(st.sampled_from(odd))
    if draw(st.booleans()):
        image[MAPS.vertebra.data == L3] = odd[0]
    return image, offset == 0


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(stored(), st.sampled_from([(1.0, 0.0), (0.37, 0.0), (1e-20, 0.0), (3.0, 0.0)]))
def test_a_cell_is_empty_only_where_its_status_says_why_and_a_number_is_right(
    tmp_path_factory, made, scaling
):
    """By way of a file, as users' images come."""
    image, zero = made
    path = tmp_path_factory.mktemp("scan") / "sub-1_T2w.nii"
    header = nib.Nifti1Image(image, MAPS.subregion.affine, dtype=image.dtype)
    header.header.set_slope_inter(*scaling)
    content = bytearray(header.to_bytes())
    fields = np.frombuffer(content, header.header.template_dtype, count=1)
    fields["scl_slope"], fields["scl_inter"] = scaling
    path.write_bytes(content)
    try:
        volume = read_volume(path)
        check_scan(volume, path.name)
    except ScanError as error:
        assert path.name in error.detail
        return
    for structure, (ratio, status) in signals(volume.data).items():
        assert (ratio is None) == (status != "ok")
        if not zero:
            assert status == "no_zero"
        elif status == "ok" and structure != L3 and image.dtype != np.uint8:
            assert ratio == pytest.approx(EXPECTED[structure], rel=0.03)
