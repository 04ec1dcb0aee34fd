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
        assert [card.points for card in known] == marked, chapter
        assert [card.number for card in known] == list(range(1, len(known) + 1)), chapter
        assert len({card.name for card in known}) == len(known), chapter


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0 minutes"), (110, "110 minutes"), (150, "2½ hours"), (290, "5 hours")]
)
def test_hours(minutes, said):
    assert cards.hours(minutes) == said


def test_syllabi_keep_to_the_load_that_they_announce(chapters, syllabi):
    assert [len(weeks) for weeks in syllabi.values()] == [3, 6, 10]
    minutes = {(chapter, card.name): card.minutes for chapter, known in chapters.items() for card in known}
    for title, weeks in syllabi.items():
        loads = [sum(minutes[exercise] for exercise in week) for week in weeks]
        assert max(loads) <= BUDGETS[title], (title, loads)
        exercises = [exercise for week in weeks for exercise in week]
        assert len(set(exercises)) == len(exercises), title
        assert {chapter for chapter, _ in exercises} <= set(chapters)
    assert {chapter for week in syllabi["Ten weeks"] for chapter, _ in week} == set(chapters)


def test_what_the_page_for_teachers_says_of_all_exercises(chapters):
    totals = {chapter: sum(card.minutes for card in known) for chapter, known in chapters.items()}
    assert 270 <= totals.pop("optimizer") <= 330
    assert 90 <= min(totals.values()) <= max(totals.values()) <= 180


def test_syllabi_name_sources_that_are_there(request):
    root = request.config.rootpath
    text = (root / "book" / "teaching.md").read_text("utf8")
    known = set(re.findall(r"^@\w+\{([^,]+),", (root / "book" / "references.bib").read_text("utf8"), re.MULTILINE))
    cited = set(re.findall(r"\{cite:t\}`([^`]+)`", text))
    assert len(cited) > 20
    assert cited <= known


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


def test_reading_is_said_where_it_is_asked_for():
    sentence = nodes.paragraph("", "", nodes.Text("Takes "), cards.effort(), nodes.Text("."))
    document = page(sentence)
    cards.say_reading(SimpleNamespace(), document, "page")
    assert sentence.astext() == "Takes about 5 minutes."


def test_every_chapter_opens_and_closes_alike(chapters, request):
    for name in chapters:
        text = (request.config.rootpath / "book" / f"{name}.md").read_text("utf8")
        opening = text.index("```{admonition} In this chapter\n:class: objectives\n")
        assert opening < text.index("```{code-cell}"), name
        box = text[opening : text.index("\n```\n", opening)]
        assert 3 <= len(re.findall(r"^- ", box, re.MULTILINE)) <= 5, name
        for part in ("**Needs** [](prerequisites.md)", "{effort}`reading`", "[](status.md)", "{effort}`exercises`"):
            assert part in box, (name, part)
        assert not re.search(r"\d", box), (name, "numbers come from the cards")
        closing = text.index("```{admonition} In short\n:class: short\n")
        assert closing > text.index("claims.table()"), name
        sentences = re.findall(r"^- ", text[closing : text.index("\n```\n", closing)], re.MULTILINE)
        assert 3 <= len(sentences) <= 6, name
