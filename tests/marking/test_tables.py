"""The tables say what the marks say, for whatever system comes next."""

import csv

import pytest

from innerlab.marking.marks import BY_PERSON, NOT_HANDED_IN, PASSED, Mark, Marked
from innerlab.marking.tables import write_tables

RESULTS = [
    Marked("ada@school", "one", "", [Mark("a", 2, 2.0, PASSED), Mark("b", 3, None, BY_PERSON)]),
    Marked(
        "bob",
        "one",
        "",
        [Mark("a", 2, 0.0, "not yet", "It is wrong,\nand long."), Mark("b", 3, 1.5, PASSED)],
        True,
        0.5,
    ),
    Marked("ada@school", "two", "", [Mark("c", 1, 0.0, NOT_HANDED_IN, "There is none.")]),
    Marked("bob", "two", "", [Mark("c", 1, 1.0, PASSED)], confined=False),
]


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_mark_is_in_the_tables(tmp_path):
    write_tables(tmp_path, RESULTS)
    grades = table(tmp_path / "grades.csv")
    assert [(row["student"], row["exercise"], row["points"], row["of"], row["status"]) for row in grades] == [
        ("ada@school", "a", "2", "2", PASSED),
        ("ada@school", "b", "", "3", BY_PERSON),
        ("bob", "a", "0", "2", "not yet"),
        ("bob", "b", "1.5", "3", PASSED),
        ("ada@school", "c", "0", "1", NOT_HANDED_IN),
        ("bob", "c", "1", "1", PASSED),
    ]
    assert [row["reason"] for row in grades] == [
        "",
        "",
        "It is wrong,\nand long.",
        "",
        "There is none.",
        "(unconfined)",
    ]
    assert table(tmp_path / "gradebook.csv") == [
        {"student": "ada@school", "one": "2", "two": "0", "total": "2", "of": "6", "for a person": "one/b"},
        {"student": "bob", "one": "1", "two": "1", "total": "2", "of": "6", "for a person": ""},
    ]


def test_canvas_and_gradescope_get_their_columns_and_a_roster_their_names(tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,First Name,Last Name,SID,Email\n"
        '    Points Possible,,,,,,,,\n"Lovelace, Ada",17,u17,ada@school,B,Ada,Lovelace,s17,a@x\n'
        '"Byron, Bob",18,u18,byron,B,Bob,Byron,bob,b@x\n'
    )
    write_tables(tmp_path, RESULTS, roster)
    lines = (tmp_path / "canvas.csv").read_text().splitlines()
    assert lines[0] == "Student,ID,SIS User ID,SIS Login ID,Section,one,two"
    assert lines[1] == "    Points Possible,,,,,5,1"
    assert lines[2:] == ['"Lovelace, Ada",17,u17,ada@school,B,2,0', '"Byron, Bob",18,u18,byron,B,1,1']
    scope = table(tmp_path / "gradescope.csv")
    assert scope[0] == {
        "First Name": "Ada", "Last Name": "Lovelace", "SID": "s17", "Email": "a@x",
        "Assignment": "one", "Total Score": "2", "Max Points": "5", "Status": "Graded",
    }  # fmt: skip
    assert [row["Status"] for row in scope] == ["Graded", "Graded", "Missing", "Graded"]
    write_tables(tmp_path, RESULTS)
    assert (tmp_path / "canvas.csv").read_text().splitlines()[2] == "ada@school,,,ada@school,,2,0"


@pytest.mark.parametrize("content", ["", "name,points\nada,3\n", None, b"\xff\xfe"])
def test_a_roster_that_is_none_is_an_error_that_names_it(tmp_path, content):
    roster = tmp_path / "roster.csv"
    if content is not None:
        roster.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=r"roster is .*roster\.csv"):
        write_tables(tmp_path, RESULTS, roster)


def test_a_table_that_stays_the_same_is_not_written_again(tmp_path):
    write_tables(tmp_path, RESULTS)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    write_tables(tmp_path, RESULTS)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_no_letter_that_is_not_printed_makes_a_row_of_its_own(tmp_path):
    said = "x\r=1+1\rada,one,a,2,2,passed\x0b\u2028y\x00"
    write_tables(tmp_path, [Marked("bob\r=1", "one", "", [Mark("a", 2, 0.0, "no value", said)])])
    (row,) = table(tmp_path / "grades.csv")
    assert row["student"] == "bob =1"
    assert row["reason"] == "x =1+1 ada,one,a,2,2,passed  y "
