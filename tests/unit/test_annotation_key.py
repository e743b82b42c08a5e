"""A fused annotation is made again exactly when something that decides it changes."""

import dataclasses

import pytest

from wirbel.io.annotation.provenance import NOT_IN_KEY, key_of
from wirbel.io.annotation.settings import AnnotateSettings, SourceSettings
from wirbel.io.dataset.bids import find_scans
from wirbel.io.foreign.label_schemes import scheme_file

FILES = ("labels", "ending", "vertebrae", "vertebrae_ending", "images")
"""Settings of a source that lead to files, whose content is in the key."""
OTHER = {
    "method": "vote",
    "methods": {"disc": "priority"},
    "least_agreement": 0.75,
    "images": "elsewhere",
    "output": "elsewhere",
    "participants": ("sub-02",),
    "corrections": "elsewhere",
    "name": "another",
    "labels": "elsewhere",
    "scheme": "spider",
    "ending": "seg",
    "vertebrae": "elsewhere",
    "vertebrae_ending": "seg",
    "trust": {"disc": 0.5},
    "align": True,
}
"""Another value of each setting."""
SOURCE = SourceSettings("mine", "labels", "spineps")
SETTINGS = AnnotateSettings("images", "output", (SOURCE,))


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "in" / "sub-01" / "anat" / "sub-01_T2w.nii.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"image")
    (scan,) = find_scans(tmp_path / "in")

    def of(settings=SETTINGS, digest="1", correction=None, code="code"):
        digests = {one.name: {"labels": digest} for one in settings.sources}
        return key_of(settings, digests, scan, correction, code)

    return of


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(AnnotateSettings)])
def test_a_setting_counts_if_it_decides_the_result(key, field):
    if field == "sources":
        return
    changed = dataclasses.replace(SETTINGS, **{field: OTHER[field]})
    assert (key(changed) != key()) == (field not in NOT_IN_KEY)


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(SourceSettings)])
def test_so_does_a_setting_of_a_source(key, field):
    changed = dataclasses.replace(SOURCE, **{field: OTHER[field]})
    other = dataclasses.replace(SETTINGS, sources=(changed,))
    assert (key(other) != key()) == (field not in FILES)


def test_files_and_code_count_by_their_content(key, tmp_path):
    correction = tmp_path / "correction.nii.gz"
    correction.write_bytes(b"corrected")
    assert len({key(), key(digest="2"), key(code="other"), key(correction=correction)}) == 4


def test_a_scheme_of_the_users_own_counts_by_its_content(key, tmp_path):
    scheme = tmp_path / "mine.yaml"
    own = dataclasses.replace(SETTINGS, sources=(dataclasses.replace(SOURCE, scheme=str(scheme)),))
    keys = set()
    for words in ("", "# changed\n"):
        scheme.write_text(words + scheme_file("spineps").read_text())
        keys.add(key(own))
    assert len(keys) == 2
