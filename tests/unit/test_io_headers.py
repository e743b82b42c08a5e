"""Headers that contradict their own file are refused in words, and never cost memory or time."""

import gzip
import struct
import tracemalloc

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wirbel.core.geometry import Volume
from wirbel.errors import ScanError
from wirbel.io.nifti import nifti_voxels
from wirbel.io.nifti.volumes import read_grid, read_header, read_volume, write_volume

SHAPE = (9, 40, 50)
AFFINE = np.array([[0, 0, 3.3, -15], [-1, 0, 0, 20], [0, -1, 0, 25], [0, 0, 0, 1.0]])
FIELDS = nib.Nifti1Header.template_dtype
SIZES = {"uint8": 1, "int16": 2, "float32": 4, "float64": 8}


def voxels(dtype="int16") -> np.ndarray:
    return np.random.default_rng(0).integers(1, 200, SHAPE).astype(dtype)


def file(tmp_path, name="sub-1_T2w.nii", data=None, tail=b"", **fields):
    """Write a NIfTI file with some fields of its header overwritten, unchecked."""
    image = nib.Nifti1Image(voxels() if data is None else data, AFFINE)
    image.set_qform(AFFINE, 1)
    content = bytearray(image.to_bytes())
    header = np.frombuffer(content, FIELDS, count=1)
    for field, value in fields.items():
        header[field] = value
    content = bytes(content) + tail
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def refusal(path) -> str:
    with pytest.raises(ScanError, match="sub-1_T2w") as caught:
        read_volume(path)
    assert caught.value.reason == "unreadable"
    return caught.value.detail


NAMES = pytest.mark.parametrize("name", ["sub-1_T2w.nii", "sub-1_T2w.nii.gz"])


@NAMES
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"bitpix": 8}, "16 bits per voxel for the data type int16, found 8"),
        ({"datatype": 16}, "32 bits per voxel for the data type float32, found 16"),
        ({"datatype": 2, "bitpix": 8}, "does not fit its content"),  # half of the bytes left over
        ({"datatype": 16, "bitpix": 32}, "truncated"),
        ({"datatype": 77}, "the code 77"),
        ({"dim": (3, 9, 40, 49, 1, 1, 1, 1)}, "does not fit its content"),
        ({"dim": (3, 9, 40, 51, 1, 1, 1, 1)}, "truncated"),
        ({"dim": (9, 9, 40, 50, 1, 1, 1, 1)}, "one to seven dimensions, found 9"),
        ({"vox_offset": 0}, "vox_offset of 0"),
        ({"vox_offset": 351}, "vox_offset of 351"),
        ({"vox_offset": 352.5}, "vox_offset of 352.5"),
        ({"vox_offset": 368}, "truncated"),
        ({"vox_offset": 1e11}, "vox_offset of 1e+11"),
        ({"vox_offset": np.nan}, "vox_offset of nan"),
        ({"scl_slope": -1, "scl_inter": 1000}, "a slope of -1"),
        ({"scl_slope": 1e-40}, "a slope of 9.99995e-41"),
        ({"scl_slope": 1e36}, "a slope of 1e+36"),
        ({"scl_slope": np.inf}, "a slope of inf"),
        ({"scl_slope": 2, "scl_inter": np.nan}, "an intercept of nan"),
        (
            {"scl_slope": 1, "scl_inter": 1e18},
            "an intercept of 1e+18",
        ),  # nothing is left of the image
    ],
)
def test_a_contradiction_is_refused_in_words(tmp_path, name, fields, words):
    detail = refusal(file(tmp_path, name, **fields))
    assert words in detail


@NAMES
def test_bytes_left_over_are_refused_and_padding_is_not(tmp_path, name):
    assert "does not fit" in refusal(file(tmp_path, name, tail=b"\0" * 200 + b"x"))
    assert "does not fit" in refusal(file(tmp_path, name, tail=bytes(1025)))
    np.testing.assert_array_equal(read_volume(file(tmp_path, name, tail=bytes(512))).data, voxels())


@pytest.mark.parametrize(("slope", "inter"), [(0, 7), (np.nan, np.nan), (1, 0)])
def test_a_slope_of_nothing_scales_nothing(tmp_path, slope, inter):
    read = read_volume(file(tmp_path, scl_slope=slope, scl_inter=inter))
    assert read.data.dtype == np.int16


def test_integers_taken_for_floats_are_noticed(tmp_path):
    path = file(tmp_path, data=voxels("int32"), datatype=16, bitpix=32)
    assert "data type is wrong" in refusal(path)


def test_extensions_are_passed_over_whatever_size_they_claim(tmp_path):
    path = file(tmp_path, "sub-1_T2w.nii.gz")
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[348] = 1
    content[352:352] = struct.pack("<ii", 0x7FFFFFF0, 6) + bytes(8)
    np.frombuffer(content, FIELDS, count=1)["vox_offset"] = 368
    path.write_bytes(gzip.compress(bytes(content)))
    np.testing.assert_array_equal(read_volume(path).data, voxels())


@pytest.mark.parametrize("dtype", SIZES)
def test_reading_takes_little_more_than_the_voxels(tmp_path, dtype):
    """Zeros, which a small file can hold many of: 8 million voxels."""
    path = tmp_path / "sub-1_T2w.nii.gz"
    head = nib.Nifti1Header()
    head.set_data_dtype(dtype)
    head.set_data_shape((400, 400, 50))
    head.set_sform(AFFINE, 1)
    head["pixdim"][1:4] = 1, 1, 3.3
    head["vox_offset"], head["magic"] = 352, b"n+1"
    with gzip.open(path, "wb", 1) as stream:
        stream.write(head.binaryblock + bytes(4))
        for _ in range(50):
            stream.write(bytes(400 * 400 * SIZES[dtype]))
    tracemalloc.start()
    data = read_volume(path).data
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.nbytes == 8_000_000 * min(SIZES[dtype], 4)
    assert peak < 2 * data.nbytes + 50e6  # once as stored, once in C order


def test_a_lack_of_memory_while_reading_is_the_scans_fault(tmp_path, monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr(nifti_voxels, "iterate_values", exhausted)
    assert "does not fit into the job's memory" in refusal(file(tmp_path))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_stands_in_the_header_the_voxels_come_back_or_the_file_is_refused(
    tmp_path_factory, data
):
    """Any bytes in any field: never another error, never an image that is not, but for brightness, the one stored."""
    path = file(tmp_path_factory.mktemp("fuzz"))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, 347))
    changed = data.draw(st.binary(min_size=1, max_size=8))
    content[place : min(place + len(changed), 348)] = changed[: 348 - place]
    path.write_bytes(content)
    try:
        found = read_volume(path).data.astype(float)
    except ScanError:
        return
    if found.shape == SHAPE and np.isfinite(found).all() and np.ptp(found):
        assert np.corrcoef(found.ravel(), voxels().ravel())[0, 1] > 0.99


CODES = {"sform_code": 2, "qform_code": 1}


def test_maps_carry_both_transforms_of_their_scan_unchanged(tmp_path):
    """A tilted sform, a qform of its own: every viewer lays the map over the scan, whichever it takes."""
    tilted = AFFINE.copy()
    tilted[:3, 3] += 3, -39, -52
    rows = {f"srow_{axis}": row for axis, row in zip("xyz", tilted, strict=False)}
    scan = file(tmp_path, xyzt_units=0, **CODES, **rows)
    header = read_header(scan)
    assert "up to 65 mm apart" in header.notes[0]
    labels = Volume(np.ones(SHAPE, np.uint8), header.affine)
    write_volume(tmp_path / "map.nii", labels, "uint8", header.placement)
    before, after = (
        np.frombuffer(path.read_bytes(), FIELDS, count=1) for path in (scan, tmp_path / "map.nii")
    )
    for field in (*header.placement, *CODES):
        np.testing.assert_array_equal(before[field], after[field], field)
    np.testing.assert_allclose(read_grid(tmp_path / "map.nii").affine, tilted, atol=1e-5)


def test_an_impossible_quaternion_is_noted_and_carried(tmp_path):
    scan = file(tmp_path, quatern_b=2, quatern_c=2, quatern_d=2)
    header = read_header(scan)
    assert "impossible" in header.notes[0]
    write_volume(
        tmp_path / "map.nii", Volume(voxels("uint8"), header.affine), None, header.placement
    )
    assert read_header(tmp_path / "map.nii").placement["quatern_b"] == 2
    assert "impossible" in read_header(tmp_path / "map.nii").notes[0]


def test_a_big_endian_nifti_2_file_carries_its_transforms_too(tmp_path):
    image = nib.Nifti2Image(voxels(">i2"), AFFINE, nib.Nifti2Header(endianness=">"))
    image.set_sform(AFFINE, 4)
    nib.save(image, tmp_path / "sub-1_T2w.nii")
    header = read_header(tmp_path / "sub-1_T2w.nii")
    np.testing.assert_array_equal(read_volume(tmp_path / "sub-1_T2w.nii").data, voxels())
    write_volume(
        tmp_path / "map.nii", Volume(voxels("uint8"), header.affine), None, header.placement
    )
    copy = read_header(tmp_path / "map.nii")
    assert copy.placement["sform_code"] == 4
    np.testing.assert_allclose(copy.affine, AFFINE)
