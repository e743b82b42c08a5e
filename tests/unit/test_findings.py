"""What the main process found in the data set is read once, for as long as its file stays as it is."""

from wirbel.manifests.findings import read_reviews, write_findings

AGREES, MOVED = ({"sub-01": {"review": "ok", "shift": shift}} for shift in (0, 1))


def test_reviews_are_parsed_once_and_again_when_the_file_was_replaced(tmp_path):
    assert read_reviews(tmp_path) == {}
    write_findings(tmp_path, [], "", AGREES)
    first = read_reviews(tmp_path)
    assert first == AGREES and read_reviews(tmp_path) is first
    write_findings(tmp_path, [], "", MOVED)
    assert read_reviews(tmp_path) == MOVED
    (tmp_path / "work" / "batches" / "dataset.json").unlink()
    assert read_reviews(tmp_path) == {}
