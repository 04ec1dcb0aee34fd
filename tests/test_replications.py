"""A chapter is run again on shifted seeds, all its claims are noted, and a grade must be borne by what is on file."""

import ast
import json
import re

import pytest
from bs4 import BeautifulSoup
from tiny_book import CONFIGURATION, HEADER, ROOT, TinyBook, cell

from innerlab.statistics import wilson_interval
from innersite import replications
from innersite.execution import Book
from innersite.replications import ChapterSource, Standing, spelled

SETUP = "from innerlab.claims import Claims\nfrom innerlab.seeds import numpy_generator\nclaims = Claims()"
CHAPTER = "".join(
    [
        cell(SETUP),
        cell("drawn = numpy_generator(0).random()"),
        "\n```{figure} dot.svg\n:name: fig-drawn\n\nA dot.\n```\n",
        cell(
            'claims.check("always", "It lies in 0 to 1.", holds=0 <= drawn < 1, measured=f"{drawn:.3f}", seeds=1, '
            'strength="identity", evidence="fig-drawn", value=drawn)'
        ),
        cell('assert drawn > 0.3, "too small"'),
        cell(
            'claims.check("large", "It is large.", holds=drawn > 0.6, measured=f"{drawn:.3f}", seeds=1, '
            'strength="thin", evidence="fig-drawn")'
        ),
        cell("claims.table()"),
    ]
)
DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle cx="4" cy="4" r="3"/></svg>'


@pytest.fixture
def tiny(tmp_path):
    tiny = TinyBook(tmp_path)
    tiny.write("_config.yml", CONFIGURATION.replace("innersite.execution]", "innersite.execution, innersite.evidence]"))
    tiny.write("book/dot.svg", DOT)
    tiny.write(f"{replications.FILE}", "")
    tiny.chapters(one=CHAPTER, status="")
    tiny.write("book/status.md", "# Evidence\n\n```{replications-counted}\n```\n\n```{claims-by-chapter}\n```\n")
    return tiny


def notebook(text: str, folder):
    path = folder / "page.md"
    path.write_text(HEADER + text, "utf8")
    return Book.from_folder(ROOT).read(path)


def keys(text: str, folder) -> tuple[str, dict[str, str]]:
    """Return a page's code key, and its claims' keys."""
    source = ChapterSource("page", notebook(text, folder), Book.from_folder(ROOT))
    return source.code, {claim.name: claim.key for claim in source.claims}


def test_a_chapter_is_replicated_filed_and_shown(tiny):
    done = tiny.replicate("one", "--times", "5")
    filed = replications.read(tiny.root)
    assert sorted(line["shift"] for line in filed) == list(range(1_000_000, 1_000_005))
    drawn = {line["shift"]: line["claims"]["always"]["value"] for line in filed}
    assert len(set(drawn.values())) == 5, "every shift draws anew"
    for line in filed:
        value = drawn[line["shift"]]
        assert line["claims"]["always"]["held"]
        # The cell that raises ends nothing.
        assert line["claims"]["large"]["held"] == (value > 0.6)
        assert line["claims"]["large"]["measured"] == f"{value:.3f}"
        assert [problem.partition(": ")[2] for problem in line["broken"]] == ["AssertionError: too small"] * (
            value <= 0.3
        )
        assert line["versions"]["Python"]
    held = sum(value > 0.6 for value in drawn.values())
    assert 0 < held < 5, "of five draws some are large and some are not"
    assert f"large (thin) held in {held} of 5" in done.text
    assert done.code == 1

    # What is there is not run again, and what is wanted besides takes the next shifts.
    tiny.replicate("one", "--times", "5")
    assert replications.read(tiny.root) == filed
    tiny.replicate("one", "--more", "1")
    assert [line["shift"] for line in replications.read(tiny.root)[5:]] == [1_000_005]

    # A trial files nothing, and uses other shifts.
    assert "one, shift 7, " in tiny.replicate("--trial", "7", "--times", "1").text
    assert len(replications.read(tiny.root)) == 6

    drawn = [line["claims"]["always"]["value"] for line in replications.read(tiny.root)]
    tiny.write("book/one.md", (tiny.root / "book/one.md").read_text("utf8").replace("drawn > 0.6", "drawn > 0.5"))
    built = tiny.build()
    assert built.code == 0, built.text
    page = BeautifulSoup(tiny.page("one"), "html.parser")
    card = page.select_one("#claim-always .claim-basis")
    assert " ".join(card.get_text().split()) == "1 seeds, identity, held in 6 of 6 replications"
    assert card.a["href"] == "status.html#one-always"
    assert "replication" not in page.select_one("#claim-large").text, "its condition is another one now"
    status = BeautifulSoup(tiny.page("status"), "html.parser")
    row = status.find(id="one-always").find_all("td")[-1]
    assert "held in 6 of 6" in row.text
    assert "[" not in row.text, "an identity has no interval"
    assert len(row.select("circle")) == 6
    assert f"from {min(drawn):.3g}" in row.svg["aria-label"] or f"{min(drawn):.3g} to" in row.svg["aria-label"]
    earlier = status.find(id="one-large").find_all("td")[-1].text
    assert re.search(rf"none yet\s*earlier forms: {sum(value > 0.6 for value in drawn)} of 6", earlier)

    # What is filed later is on the page after the next build.
    tiny.write("book/one.md", (tiny.root / "book/one.md").read_text("utf8").replace("drawn > 0.5", "drawn > 0.6"))
    lines = (tiny.root / replications.FILE).read_text("utf8")
    tiny.build()
    again = json.loads(lines.splitlines()[0]) | {"shift": 1_000_006}
    tiny.write(replications.FILE, lines + json.dumps(again) + "\n")
    assert tiny.build().code == 0
    page, status = (BeautifulSoup(tiny.page(name), "html.parser") for name in ("one", "status"))
    assert "held in 7 of 7 replications" in page.select_one("#claim-always").text
    large = sum(line["claims"]["large"]["held"] for line in replications.read(tiny.root))
    low, high = wilson_interval(large, 7)
    row = status.find(id="one-large").find_all("td")[-1]
    assert f"held in {large} of 7 [{low:.2f}, {high:.2f}]" in row.text


@pytest.mark.parametrize(
    ("old", "new", "code", "claims"),
    [
        ("drawn > 0.6", "drawn > 0.5", False, {"large"}),
        ("It is large.", "It is rather large.", False, {"large"}),
        ("random()", "random() ** 2", True, set()),
        ('assert drawn > 0.3, "too small"', "assert drawn > 0.3, 'too small'  # a comment", False, set()),
        ('strength="thin"', 'strength="solid"', False, set()),
        (
            'measured=f"{drawn:.3f}", seeds=1, strength="thin"',
            'measured="much", seeds=1, strength="thin"',
            False,
            set(),
        ),
        ("numpy_generator(0)", "numpy_generator(1)", True, set()),
    ],
)
def test_what_makes_a_replication_one_of_an_earlier_form(tmp_path, old, new, code, claims):
    assert old in CHAPTER
    before, after = keys(CHAPTER, tmp_path), keys(CHAPTER.replace(old, new), tmp_path)
    assert (before[0] != after[0]) == code
    assert {name for name in before[1] if before[1][name] != after[1][name]} == claims


def test_keys_do_not_depend_on_the_version_of_python():
    """Versions differ in which fields of a node there are, and in whether empty ones are shown."""
    assert spelled(ast.parse("def f(x=None):\n    return g(x, '=[]')")) == (
        "Module(body=[FunctionDef(name='f', args=arguments(args=[arg(arg='x')], defaults=[Constant()]), "
        "body=[Return(value=Call(func=Name(id='g', ctx=Load()), args=[Name(id='x', ctx=Load()), "
        "Constant(value='=[]')]))])])"
    )


def test_captions_and_axes_do_not_count_but_what_is_computed_between_does(tmp_path):
    drawn = cell('ax.set_title("one")\nfigures.Shown(figure, f"words {drawn}")')
    assert keys(CHAPTER + drawn, tmp_path)[0] == keys(CHAPTER + drawn.replace("one", "two"), tmp_path)[0]
    assert keys(CHAPTER + drawn, tmp_path)[0] != keys(CHAPTER + cell("drawn.sort()") + drawn, tmp_path)[0]


def test_a_claim_whose_grade_is_not_written_out_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a claim's name or its grade is not written out"):
        keys(CHAPTER.replace('strength="thin"', "strength=grade"), tmp_path)


@pytest.mark.parametrize(
    ("strength", "held", "times", "bears"),
    [
        *(("solid", 19, 20, True), ("solid", 18, 20, False), ("solid", 19, 19, False), ("solid", 38, 40, True)),
        *(("thin", 15, 20, True), ("thin", 14, 20, False), ("thin", 0, 0, False)),
        *(("provisional", 0, 0, True), ("provisional", 3, 20, True)),
        *(("identity", 20, 20, True), ("identity", 19, 20, False)),
    ],
)
def test_what_bears_a_grade(strength, held, times, bears):
    assert Standing(held, times, (), ()).bears(strength) == bears


def test_impossible_wishes_are_refused(tiny):
    for words, says in (
        (["two"], "no chapter with claims is called two; there are one"),
        (["--times", "0"], "--times: 0 is less than 1"),
        (["--trial", "1000000"], "shifts to try are 1 to 999999"),
    ):
        refused = tiny.replicate(*words)
        assert refused.code == 2
        assert says in refused.text


# What is on file in this repository

BOOK = Book.from_folder(ROOT)
CHAPTERS = {name: ChapterSource(name, read, BOOK) for name, _, read in BOOK.notebooks()}


def test_the_file_leaves_out_no_shift():
    filed = replications.read(ROOT)
    for name in {line["chapter"] for line in filed}:
        shifts = sorted(line["shift"] for line in filed if line["chapter"] == name)
        first = replications.FILED_FROM
        assert shifts == list(range(first, first + len(shifts))), f"{name}: shifts are missing, or there twice"


@pytest.mark.parametrize("name", sorted(CHAPTERS))
def test_every_grade_is_borne_by_the_file(name):
    filed = replications.read(ROOT)
    if all(line["chapter"] != name for line in filed):
        pytest.skip(f"{name} has not been replicated yet, and its cards say so by saying nothing")
    standings = CHAPTERS[name].standings(filed)
    most = max(standing.times for standing in standings.values())
    if most < replications.TIMES and not any(standing.earlier for standing in standings.values()):
        pytest.skip(f"the first {most} replications of {name} are on file; with {replications.TIMES} they count")
    unborne = [
        f"{claim.name} is {claim.strength} and held in {standings[claim.name].held} of {standings[claim.name].times}"
        for claim in CHAPTERS[name].claims
        if not standings[claim.name].bears(claim.strength)
    ]
    assert not unborne, f"run `python run.py replicate {name}`, then restate, regrade or withdraw: {'; '.join(unborne)}"
