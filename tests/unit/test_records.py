"""One file of records per batch: stages and writers keep what the others wrote."""

from hypothesis import given, settings
from hypothesis import strategies as st

from wirbel.manifests.records import (
    Record,
    RecordBook,
    read_records,
    records_by_stage,
    records_file,
    records_on_disk,
    write_records,
)

BATCH = "b00001"


def _book(folder, stage):
    return RecordBook(records_file(folder, BATCH), stage)


def test_each_stage_sees_its_own_records_and_keeps_the_others(tmp_path):
    assert records_on_disk(tmp_path, "merge", BATCH) == {}
    merged, measured = Record("sub-01", "ok", key="m"), Record("sub-01", "ok", key="f")
    _book(tmp_path, "merge").put(merged)
    _book(tmp_path, "features").put(measured)
    _book(tmp_path, "merge").put(Record("sub-02", "failed", "unreadable", "cut short", "m2"))
    assert records_on_disk(tmp_path, "features", BATCH) == {"sub-01": measured}
    assert list(records_on_disk(tmp_path, "merge", BATCH)) == ["sub-01", "sub-02"]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{BATCH}.records.tsv"]


def test_two_writers_of_a_stage_keep_what_the_other_adds(tmp_path):
    one, other = _book(tmp_path, "merge"), _book(tmp_path, "merge")
    one.put(Record("sub-01", "ok"))
    other.put(Record("sub-02", "ok"))
    one.put(Record("sub-03", "ok"))
    assert sorted(other.on_disk()) == ["sub-01", "sub-02", "sub-03"]


def test_a_stage_that_has_forgotten_all_its_scans_is_still_known(tmp_path):
    """Else a batch's only scan could be replaced while the next stage takes the old one for granted."""
    book = _book(tmp_path, "merge")
    book.put(Record("sub-01", "ok"))
    book.drop(["sub-01"])
    assert records_by_stage(tmp_path, BATCH) == {"merge": {}}
    book.put(Record("sub-01", "ok", key="new"))
    assert records_by_stage(tmp_path, BATCH)["merge"]["sub-01"].key == "new"


TEXT = st.text(st.characters(exclude_categories=()))
"""Anything: tabs, line ends, U+2028, semicolons, escape sequences, bytes that are no UTF-8."""


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, st.lists(TEXT.filter(bool), max_size=3)), max_size=4))
def test_records_are_read_back_as_written_whatever_the_names(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("records")
    records = {
        name: Record(name, "ok", detail=detail, outputs=tuple(files), sizes=(1,) * len(files))
        for name, detail, files in texts
    }
    write_records(folder / "manifest.tsv", records.values())
    assert read_records(folder / "manifest.tsv") == records
    _book(folder, "merge").put(*records.values())
    assert records_on_disk(folder, "merge", BATCH) == records
