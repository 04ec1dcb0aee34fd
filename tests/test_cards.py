"""What chapters and syllabi say of exercises comes from the exercises' own cards, and of reading from the page."""

import re
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

from innersite import cards

CARD = "| kind | difficulty | minutes | points |\n|---|---|---|---|\n| write | ●●○○ | 20 | 3 |\n"
NAMED = "nbgrader: {grade: false, grade_id: climb, locked: false}\n"
BUDGETS = {"Three weeks": 120, "Six weeks": 150, "Ten weeks": 180}  # minutes a week, as the page says in words


@pytest.fixture(scope="module")
def chapters(request):
    """The cards of every chapter's exercises, by chapter."""
    folder = request.config.rootpath / "solutions"
    return {path.stem: cards.read_cards(path) for path in sorted(folder.glob("*.md"))}


@pytest.fixture(scope="module")
def syllabi(request):
    """The weeks of each syllabus: what is asked for in each, as lists of chapter and name."""
    text = (request.config.rootpath / "book" / "teaching.md").read_text("utf8").split("## Syllabi\n")[1]
    found = {}
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        weeks = re.split(r"^#### ", part, flags=re.MULTILINE)[1:]
        found[part.splitlines()[0]] = [asked(week) for week in weeks]
    return found


def asked(week):
    """The exercises that a week names."""
    lines = re.search(r"```\{exercises\}\n(.*?)```", week, re.DOTALL)[1].splitlines()
    return [(line.split(":")[0], name.strip()) for line in lines for name in line.split(":")[1].split(",")]


def test_a_card_is_read(tmp_path):
    path = tmp_path / "a.md"
    path.write_text(f"# Exercises\n\n## 1. One step\n\n{CARD}\n{NAMED}\n## How far are you?\n", "utf8")
    assert cards.read_cards(path) == [cards.ExerciseCard(1, "One step", "climb", "write", 20, 3)]


@pytest.mark.parametrize("text", [CARD, NAMED])
def test_an_exercise_without_card_or_name_is_reported(tmp_path, text):
    path = tmp_path / "a.md"
    path.write_text(f"## 1. One step\n\n{text}", "utf8")
    with pytest.raises(ValueError, match=r"a.md: exercise 1 has no card or no grade_id"):
        cards.read_cards(path)


def test_cards_give_the_points_that_are_marked(chapters, request):
    for chapter, known in chapters.items():
        text = (request.config.rootpath / "solutions" / f"{chapter}.md").read_text("utf8")
        sections = re.split(r"^## ", text, flags=re.MULTILINE)[1 : len(known) + 1]
        marked = [sum(int(number) for number in re.findall(r'"?points"?: (\d+)', section)) for section in sections]
        at = f"solutions/{chapter}.md"
        for card, points in zip(known, marked, strict=True):
            assert card.points == points, f"{at}: the card of {card.name} says {card.points} points, its cells {points}"
        assert [card.number for card in known] == list(range(1, len(known) + 1)), (
            f"{at}: number the exercises `## 1. Title`, `## 2. Title` and so on; they have {[c.number for c in known]}"
        )
        names = [card.name for card in known]
        assert len(set(names)) == len(names), f"{at}: two exercises have the same grade_id: {names}"


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0 minutes"), (110, "110 minutes"), (150, "2½ hours"), (290, "5 hours")]
)
def test_hours(minutes, said):
    assert cards.hours(minutes) == said


def test_syllabi_keep_to_the_load_that_they_announce(chapters, syllabi):
    counts = [len(weeks) for weeks in syllabi.values()]
    assert counts == [3, 6, 10], f"book/teaching.md: the syllabi have {counts} weeks that say `#### Week ...`"
    minutes = {(chapter, card.name): card.minutes for chapter, known in chapters.items() for card in known}
    for title, weeks in syllabi.items():
        loads = [sum(minutes[exercise] for exercise in week) for week in weeks]
        at = f"book/teaching.md, {title}"
        assert max(loads) <= BUDGETS[title], (
            f"{at}: it promises at most {BUDGETS[title]} minutes of exercises a week, and the cards of its weeks come "
            f"to {loads}; move or leave out some"
        )
        exercises = [exercise for week in weeks for exercise in week]
        twice = sorted({exercise for exercise in exercises if exercises.count(exercise) > 1})
        assert not twice, f"{at}: no exercise is asked for twice, as these are: {twice}"
        unknown = sorted({chapter for chapter, _ in exercises} - set(chapters))
        assert not unknown, f"{at}: there are no solutions/<chapter>.md for {unknown}"
    left_out = sorted(set(chapters) - {chapter for week in syllabi["Ten weeks"] for chapter, _ in week})
    assert not left_out, (
        "book/teaching.md, Ten weeks: every chapter with exercises comes up; add a line `chapter: exercise, exercise` "
        f"to the ```{{exercises}} of a week for {left_out}"
    )


def test_pages_say_what_all_exercises_and_all_reading_come_to_by_the_cards(request):
    for name, roles in {
        "teaching": ("least exercises", "most exercises"),
        "index": ("all reading", "all exercises"),
    }.items():
        text = (request.config.rootpath / "book" / f"{name}.md").read_text("utf8")
        for role in roles:
            assert f"{{effort}}`{role}`" in text, f"book/{name}.md: let {{effort}}`{role}` say it, and type no number"


def test_syllabi_name_sources_that_are_there(request):
    root = request.config.rootpath
    text = (root / "book" / "teaching.md").read_text("utf8")
    known = set(re.findall(r"^@\w+\{([^,]+),", (root / "book" / "references.bib").read_text("utf8"), re.MULTILINE))
    cited = set(re.findall(r"\{cite:t\}`([^`]+)`", text))
    assert len(cited) > 20, f"book/teaching.md cites only {len(cited)} sources for reading from outside"
    assert cited <= known, f"book/teaching.md cites what book/references.bib lacks: {sorted(cited - known)}"


def page(*parts):
    """A document with these parts."""
    document = new_document("page")
    document += list(parts)
    return document


def test_reading_counts_prose_alone():
    prose = nodes.paragraph(text="word " * 1200)
    output = nodes.container("", nodes.paragraph(text="no " * 999), classes=["cell_output"])
    code = nodes.literal_block(text="no " * 999)
    assert cards.words(page(nodes.title(text="A title"), prose, output, code)) == 1202
    assert cards.reading_minutes(page(prose)) == 10
    assert cards.reading_minutes(page()) == 5


def test_reading_of_all_chapters_with_exercises_is_added_up(tmp_path):
    (tmp_path / "solutions").mkdir()
    pages = {f"book/{name}": page(nodes.paragraph(text="word " * 10_800)) for name in ("one", "two", "without")}
    for name in ("one", "two", "not_yet_a_page"):
        (tmp_path / "solutions" / f"{name}.md").write_text("", "utf8")
    env = SimpleNamespace(srcdir=tmp_path, all_docs=pages, get_doctree=pages.get)
    document = page(nodes.paragraph("", "", cards.effort(all=True)))
    cards.say_reading(SimpleNamespace(env=env), document, "index")
    assert document.astext() == "about 3 hours"


def test_reading_is_said_where_it_is_asked_for():
    sentence = nodes.paragraph("", "", nodes.Text("Takes "), cards.effort(), nodes.Text("."))
    document = page(sentence)
    cards.say_reading(SimpleNamespace(), document, "page")
    assert sentence.astext() == "Takes about 5 minutes."


OPENING = "```{admonition} In this chapter\n:class: objectives\n"
CLOSING = "```{admonition} In short\n:class: short\n"


def test_every_chapter_opens_and_closes_alike(chapters, request):
    for name in chapters:
        text, at = (request.config.rootpath / "book" / f"{name}.md").read_text("utf8"), f"book/{name}.md"
        opening, closing = text.find(OPENING), text.find(CLOSING)
        assert 0 <= opening < text.index("```{code-cell}"), f"{at}: above code, make a box that begins\n{OPENING}"
        box = text[opening : text.index("\n```\n", opening)]
        objectives = len(re.findall(r"^- ", box, re.MULTILINE))
        assert 3 <= objectives <= 5, f"{at}: the box of objectives has three to five lines `- ...`, not {objectives}"
        for part in ("**Needs** [](prerequisites.md)", "{effort}`reading`", "[](status.md)", "{effort}`exercises`"):
            assert part in box, f"{at}: the box of objectives must hold {part}"
        typed = re.findall(r".*\d.*", box)
        assert not typed, f"{at}: no number is typed into the box of objectives; cards and page give them: {typed}"
        assert "claims.table()" in text, f"{at}: a cell `claims.table()` closes the chapter"
        assert closing > text.index("claims.table()"), f"{at}: below the table, make a box that begins\n{CLOSING}"
        sentences = len(re.findall(r"^- ", text[closing : text.index("\n```\n", closing)], re.MULTILINE))
        assert 3 <= sentences <= 6, f"{at}: the box `In short` has three to six lines `- ...`, not {sentences}"
