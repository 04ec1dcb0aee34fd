"""A class of lucky, unlucky and hostile students is marked in one run, for real.

`test_one_sandbox.py` marks more of them.
"""

import csv
import json
import re
from functools import cache
from html.parser import HTMLParser

import pytest
from handed_in import CHAPTER, ROOT, complaints, everything, put, split

from innerlab.checks.release import exercises_in, released
from innerlab.marking.command import main
from innerlab.marking.marks import NOT_HANDED_IN, safe_name

pytestmark = [pytest.mark.slow, pytest.mark.confined]


@pytest.fixture(scope="module")
def marked(tmp_path_factory, limits):
    """The folder of results, and the submissions."""
    submitted, out = tmp_path_factory.mktemp("submitted"), tmp_path_factory.mktemp("out")
    cases, _ = split(everything(submitted))
    for name, (content, _) in cases.items():
        put(submitted, name, content)
    link = submitted / "a-linked-folder"
    link.symlink_to(submitted / "ada", target_is_directory=True)
    arguments = [str(submitted), "--out", str(out), "--seconds", str(limits.seconds)]
    code = main([*arguments, "--memory", str(limits.memory / 2**30), "--workers", "2"], ROOT)
    assert code == 0
    with (out / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return submitted, out, cases, rows


def of(rows, student):
    return {row["exercise"]: row for row in rows if row["student"].removeprefix("'") == student}


@cache
def points():
    return exercises_in(released(ROOT / "solutions" / f"{CHAPTER}.md"))


def test_there_are_many_and_each_is_accounted_for(marked):
    _, out, cases, rows = marked
    assert len(cases) > 30
    assert len(rows) == (len(cases) + 1) * len(points())
    with (out / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(cases) + 1


def test_everyone_gets_what_was_earned_and_the_reason_for_the_rest(marked):
    _, _, cases, rows = marked
    wrong = []
    for student, (_, wanted) in cases.items():
        found = {
            exercise: (row["status"], float(row["points"]) if row["points"] else None, float(row["of"]), row["reason"])
            for exercise, row in of(rows, student).items()
        }
        wrong += complaints(student, wanted, found, points())
    assert not wrong, "\n".join(map(str, wrong))


def test_a_linked_folder_is_nobodys_work(marked):
    _, _, _, rows = marked
    found = of(rows, "a-linked-folder")
    assert {row["status"] for row in found.values()} == {"not read"}
    assert all("link" in row["reason"] for row in found.values())


def test_no_formula_reaches_a_spreadsheet(marked):
    _, out, _, _ = marked
    for name in ("grades.csv", "gradebook.csv", "canvas.csv", "gradescope.csv"):
        with (out / name).open(encoding="utf-8", newline="") as file:
            assert not [cell for row in csv.reader(file) for cell in row if cell.startswith(("=", "+", "@"))], name


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.said = set(), [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += [name for name, _ in attributes]

    def handle_data(self, data):
        self.said += data


def page_of(out, student):
    place = out / "feedback" / safe_name(student) / CHAPTER / f"{CHAPTER}.html"
    return Page(place.read_text(encoding="utf-8"))


def test_every_page_is_inert_and_says_what_was_wrong(marked):
    _, out, cases, rows = marked
    for student, (_, wanted) in cases.items():
        if NOT_HANDED_IN in wanted.values():
            continue
        page = page_of(out, student)
        assert not page.tags & {"script", "img", "iframe", "object", "link", "a"}, student
        assert not [name for name in page.attributes if name.startswith("on")], student
        for row in of(rows, student).values():
            assert row["status"] in page.said
            assert re.sub(r"\s+", " ", row["reason"]) in re.sub(r"\s+", " ", page.said)
    assert "<script>alert(1)</script>" in page_of(out, "script").said  # as text
    assert "script" not in Page((out / "summary.html").read_text(encoding="utf-8")).tags


def test_no_page_shows_an_answer_that_is_not_the_students_own(marked):
    _, out, _, _ = marked
    answers = [cell.source for cell in released(ROOT / "solutions" / f"{CHAPTER}.md").cells]
    key = (ROOT / "solutions" / f"{CHAPTER}.md").read_text(encoding="utf-8")
    lines = {
        line
        for line in re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", key, re.S)
        for line in line.splitlines()
    }
    secret = {line.strip() for line in lines if len(line) > 30} - {
        line for cell in answers for line in cell.splitlines()
    }
    assert len(secret) > 20
    for student in ("untouched", "wrong", "endless", "lax-checks"):
        said = page_of(out, student).said
        shown = [line for line in secret if line in said and line not in everyone_elses(student)]
        assert not shown, student


def everyone_elses(student):
    """The right answers that these students gave to other exercises."""
    from handed_in import OTHERS, solutions

    return "\n".join(solutions()[name] for name in (*OTHERS, "labels"))


def test_what_goes_to_formgrader_holds_nothing_that_runs(marked):
    _, out, _, _ = marked
    from nbconvert.filters import markdown2html

    path = out / "autograded" / "script" / CHAPTER / f"{CHAPTER}.ipynb"
    found = json.loads(path.read_text(encoding="utf-8"))
    outputs = [output for cell in found["cells"] for output in cell.get("outputs", [])]
    assert outputs
    assert {output["output_type"] for output in outputs} == {"stream"}
    own = next("".join(cell["source"]) for cell in found["cells"] if cell["id"] == "explain")
    page = Page(markdown2html(own))
    assert not page.tags & {"script", "img", "a"}
    assert "[link](javascript:alert(1))" in page.said


def test_hidden_files_stay_where_they_belong(marked):
    submitted, out, cases, _ = marked
    assert {path.name for path in out.iterdir()} == {
        "autograded", "canvas.csv", "feedback", "gradebook.csv", "grades.csv", "gradescope.csv", "marks", "seed.json",
        "summary.html",
    }  # fmt: skip
    assert sorted(path.name for path in submitted.iterdir()) == sorted([*cases, "a-linked-folder"])
    assert list((submitted / "ada").iterdir()) == [submitted / "ada" / CHAPTER]


def test_marking_again_changes_nothing(marked, limits, capsys):
    submitted, out, _, _ = marked
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.rglob("*") if path.is_file()}
    arguments = [str(submitted), "--out", str(out), "--seconds", str(limits.seconds)]
    assert main([*arguments, "--memory", str(limits.memory / 2**30)], ROOT) == 0
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.rglob("*") if path.is_file()} == before
