"""Any name survives in the workflow's own tables, and none acts on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirbel.io.escapes import escape, escaped, joined, parted, unescape, visible

ANY_TEXT = st.text(st.characters(exclude_categories=()))
"""Unprintable characters, and halves of surrogate pairs (bytes of names that are no UTF-8), included."""


def test_ordinary_names_are_left_alone():
    for name in ("sub-01_acq-sag_T2w", "sub-01 (copy)", "Müller; neu", 'a "b"'):
        assert escape(name) == visible(name) == name


def test_what_breaks_lines_or_acts_on_a_terminal_is_written_as_a_code():
    assert escape("a\tb\nc\x1b[2J\u2028\x85\udc80") == r"a\tb\nc\x1b[2J\u2028\x85\udc80"
    assert visible("\x1b]0;title\x07") == r"\x1b]0;title\x07"
    assert escape(" a  b ") == r"\x20a \x20b\x20"


@given(ANY_TEXT)
def test_any_text_comes_back(text):
    written = escape(text)
    assert unescape(written) == text
    assert written.isprintable() and " ".join(written.split()) == written


@given(st.lists(ANY_TEXT.filter(bool)))
def test_any_texts_in_one_cell_come_back(texts):
    assert list(parted(joined(texts))) == texts
    assert joined(texts).isprintable()


def test_a_backslash_that_was_never_escaped_is_kept():
    assert unescape(r"C:\Users") == r"C:\Users"


@given(st.lists(ANY_TEXT))
def test_a_row_is_escaped_as_its_texts_are(texts):
    assert escaped(texts) == [escape(text) for text in texts]


@pytest.mark.parametrize("text", ["a|b", "a| b", "a |b", " a", "a ", "a  b", "", "\\", "\t", "|"])
def test_what_a_row_s_border_could_hide_is_escaped_all_the_same(text):
    assert escaped(["x", text, "y"]) == ["x", escape(text), "y"]
