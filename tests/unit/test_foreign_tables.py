"""Tables as spreadsheets and statistics programs write them."""

import codecs

import pytest

from wirbel.io.foreign.foreign_tables import read_foreign_table

PEOPLE = "participant_id\tage\tname\nsub-01\t61\tMüller\nsub-02\t62\tLi\n"
ROWS = [
    {"participant_id": "sub-01", "age": "61", "name": "Müller"},
    {"participant_id": "sub-02", "age": "62", "name": "Li"},
]


@pytest.mark.parametrize(
    "content",
    [
        PEOPLE.encode(),
        PEOPLE.encode("utf-8-sig"),
        PEOPLE.encode("utf-16"),
        PEOPLE.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + PEOPLE.encode("utf-16-be"),
        PEOPLE.encode("latin-1"),
        PEOPLE.replace("\n", "\r\n").encode(),
        PEOPLE.replace("\n", "\r").encode(),
        PEOPLE.replace("\t", ",").encode(),
        PEOPLE.replace("\t", ";").encode("utf-8-sig"),
        "\n".join(f'"{line}"' for line in PEOPLE.replace("\t", '","').splitlines()).encode(),
        ("\n" + PEOPLE + "\n\n").encode(),
        PEOPLE.replace("\n", "\t\t\n").encode(),
        b"sep=;\r\n" + PEOPLE.replace("\t", ";").encode(),
        PEOPLE.replace("sub-01", "1\tsub-01").replace("sub-02", "2\tsub-02").encode(),  # by R
    ],
)
def test_encodings_line_ends_delimiters_and_quotes_make_no_difference(tmp_path, content):
    (tmp_path / "participants.tsv").write_bytes(content)
    table = read_foreign_table(tmp_path / "participants.tsv")
    assert (table.columns, table.rows, table.faults) == (
        ["participant_id", "age", "name"],
        ROWS,
        [],
    )


def table_of(tmp_path, text):
    (tmp_path / "t.tsv").write_text(text)
    return read_foreign_table(tmp_path / "t.tsv")


def test_an_open_quote_swallows_no_rows(tmp_path):
    table = table_of(tmp_path, 'id\tnote\n1\t"tall\n2\tsmall\n3\t5" disc\n4\t"so said"\n')
    assert [row["note"] for row in table.rows] == ['"tall', "small", '5" disc', "so said"]


def test_a_quoted_cell_may_hold_delimiters_and_line_ends(tmp_path):
    table = table_of(tmp_path, 'id,city,age\n1,"Munich, Germany",30\n2,"first\nsecond ""x""",31\n')
    assert [row["city"] for row in table.rows] == ["Munich, Germany", 'first second "x"']
    assert [row["age"] for row in table.rows] == ["30", "31"] and table.lines == [2, 3]


def test_a_row_with_too_many_cells_is_left_out_and_named(tmp_path):
    table = table_of(tmp_path, "id\tage\n1\t30\n2\t31\tx\n3\n")
    assert table.rows == [{"id": "1", "age": "30"}, {"id": "3", "age": ""}]
    assert table.faults == ["line 3 has 3 cells, but the header has 2"]


def test_decimal_commas_of_spreadsheets_become_points(tmp_path):
    table = table_of(tmp_path, "id;weight;codes\n1;70,5;1,2\n2;81;a,b\n")
    assert [row["weight"] for row in table.rows] == ["70.5", "81"]
    assert [row["codes"] for row in table.rows] == ["1,2", "a,b"]


def test_columns_of_one_name_are_told_apart_and_nameless_ones_left_out(tmp_path):
    table = table_of(tmp_path, "\tid\tage\tage\n0\t1\t30\t31\n")
    assert table.rows == [{"id": "1", "age": "30", "age_2": "31"}]


def test_an_empty_file_has_no_columns_and_a_picture_is_no_table(tmp_path):
    assert table_of(tmp_path, "\n \n").columns == []
    (tmp_path / "t.tsv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0IHDR")
    with pytest.raises(ValueError, match="is not a text file"):
        read_foreign_table(tmp_path / "t.tsv")
