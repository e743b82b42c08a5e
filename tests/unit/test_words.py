"""Numbers stand with nouns that fit them."""

import pytest

from wirbel.words import counted


@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        (0, ("scan",), "0 scans"),
        (1, ("scan",), "1 scan"),
        (30_000, ("scan",), "30,000 scans"),
        (1, ("batch", "batches"), "1 batch"),
        (2, ("batch", "batches"), "2 batches"),
        (2, ("participant has", "participants have"), "2 participants have"),
    ],
)
def test_one_is_singular_and_everything_else_plural(number, words, told):
    assert counted(number, *words) == told
