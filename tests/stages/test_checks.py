"""The setting `checks` at work: a scan is refused, or computed all the same and told in the table."""

import json

import nibabel as nib
import numpy as np
import pytest
from support.deliveries.ingesting import Study
from support.deliveries.stations import tall

from wirbel.io.nifti.volumes import write_volume
from wirbel.io.tabular.measurements import ScanRows
from wirbel.manifests.findings import read_checks
from wirbel.stages import resample


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def scan(study, name, rows=40, times=None):
    """Write a scan of so many rows of 1.5 mm, and a sidecar with its times."""
    image = tall(rows=rows)
    path = study.folder / name / "anat" / f"{name}_T2w.nii"
    write_volume(path, image.with_data(image.data.astype(np.int16)))
    if times:
        path.with_suffix(".json").write_text(json.dumps(times))
    return path


def prepared(study, **checks):
    records = study.run(resample, scans="", dicom=False, n4=False, checks=checks)
    return {name: record.reason for name, record in records.items()}


def test_a_header_in_metres_is_refused_where_that_is_a_failure(study):
    path = scan(study, "sub-1")
    image = nib.load(path, mmap=False)
    data = np.array(image.dataobj)
    image.header.set_xyzt_units("meter")
    nib.save(nib.Nifti1Image(data, image.affine, image.header), path)
    assert prepared(study) == {"sub-1": ""}
    assert prepared(study, unit_not_mm="failure") == {"sub-1": "unit_not_mm"}


def test_a_small_field_of_view_is_taken_where_it_is_only_a_warning(study):
    scan(study, "sub-1", rows=25)  # 37 mm
    assert prepared(study) == {"sub-1": "too_small"}
    assert prepared(study, too_small="warning") == {"sub-1": ""}


def test_a_sidecar_of_another_contrast_and_copies_are_told_before_any_job(study):
    scan(study, "sub-1", times={"EchoTime": 0.009, "RepetitionTime": 0.6})
    scan(study, "sub-2")
    scan(study, "sub-3", rows=41)
    assert prepared(study) == dict.fromkeys(("sub-1", "sub-2", "sub-3"), "")
    same = {"sub-1": ["not_t2w", "same_content"], "sub-2": ["same_content"]}
    warnings, off = read_checks(study.out)
    assert {scan: list(told) for scan, told in warnings.items()} == same and not off
    assert warnings["sub-2"]["same_content"] == "the same content as sub-1"
    reasons = prepared(study, not_t2w="failure", same_content="off")
    assert reasons == {"sub-1": "not_t2w", "sub-2": "", "sub-3": ""}
    assert read_checks(study.out) == ({}, frozenset({"same_content"}))


def test_the_table_has_what_was_found_before_and_lacks_what_is_off():
    row = {"flags": "unit_not_mm;slivers"}
    part = ScanRows(None, {}, added=["not_t2w"], hidden={"unit_not_mm"})
    assert part.flagged(row) == {"flags": "not_t2w;slivers"}
    assert ScanRows(None, {}).flagged(row) is row
    assert part.flagged({"flags": None}) == {"flags": "not_t2w"}
