"""What a chapter and its exercises ask of a reader: names, minutes and points, from the one place where they stand.

Every exercise has a card in `solutions/<chapter>.md`. Pages name exercises by `<chapter>/<name>` and never type what is
on the card; a name that does not exist is a warning, and so fails the build.

- the role `effort` says how long the `reading` of this page takes, or `all reading`: of all chapters with exercises;
  what its `exercises` come to, or `all exercises`; and how long the `least exercises` and the `most exercises` that a
  chapter has take together;
- the directive `exercises` lists some, `<chapter>: <name>, <name>` a line, with their sum and a link to their page.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective, SphinxRole

SECTION = re.compile(r"^## (\d+)\. (.+)$", re.MULTILINE)
CARD = re.compile(r"^\| ([\w ]+) \| [●○]+ \| (\d+) \| (\d+) \|$", re.MULTILINE)
NAME = re.compile(r'\bgrade_id"?: "?(\w+)')

WORDS_A_MINUTE = 120  # of prose as dense as this; code and figures are not counted
SPACE = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class ExerciseCard:
    """The card at the head of an exercise: number, title, name, kind, minutes and points."""

    number: int
    title: str
    name: str
    kind: str
    minutes: int
    points: int


def read_cards(path):
    """Return the cards of the exercises at `path`, in order.

    Raises:
        ValueError: if a numbered section has no card or no name.
    """
    pieces = SECTION.split(path.read_text("utf8"))[1:]
    cards = []
    for number, title, text in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        card, name = CARD.search(text), NAME.search(text)
        if card is None or name is None:
            raise ValueError(f"{path.name}: exercise {number} has no card or no grade_id")
        cards.append(ExerciseCard(int(number), title, name[1], card[1], int(card[2]), int(card[3])))
    return cards


def source_of(env, chapter):
    """Return the path of a chapter's exercises with cards and answers."""
    return Path(env.srcdir, "solutions", f"{chapter}.md")


def with_exercises(env):
    """Return the names of all chapters that have exercises."""
    return sorted(path.stem for path in Path(env.srcdir, "solutions").glob("*.md"))


def solutions(env, chapter):
    """Return the path of a chapter's exercises, after noting it as a dependency of the page that is being read."""
    path = source_of(env, chapter)
    env.note_dependency(str(path))
    return path


def hours(minutes):
    """Return minutes in words: below two hours in minutes, else in hours to the nearest half."""
    if minutes < 120:
        return f"{minutes} minutes"
    halves = round(minutes / 30)
    return f"{halves // 2}{'½' if halves % 2 else ''} hours"


def summary(cards):
    """Return the number, minutes and points of some exercises in words."""
    points = sum(card.points for card in cards)
    return f"{len(cards)}, about {hours(sum(card.minutes for card in cards))}, {points} points"


class effort(nodes.Inline, nodes.TextElement):
    """A placeholder for the time that a page takes; it becomes text when the whole page has been read."""


class Effort(SphinxRole):
    """The role `effort`: how long `reading` or `exercises` of this page take, or all of the book."""

    def run(self):
        if self.text == "reading":
            return [effort()], []
        if self.text == "all reading":
            for chapter in with_exercises(self.env):
                self.env.note_dependency(str(Path(self.env.srcdir, "book", f"{chapter}.md")))
            return [effort(all=True)], []
        if self.text == "exercises":
            cards = read_cards(solutions(self.env, Path(self.env.docname).name))
            return [nodes.Text(summary(cards))], []
        if self.text in ("all exercises", "least exercises", "most exercises"):
            chapters = [read_cards(solutions(self.env, chapter)) for chapter in with_exercises(self.env)]
            if self.text == "all exercises":
                return [nodes.Text(summary([card for cards in chapters for card in cards]))], []
            choose = min if self.text == "least exercises" else max
            return [nodes.Text(hours(choose(sum(card.minutes for card in cards) for cards in chapters)))], []
        message = self.inliner.reporter.error(
            f"effort is of (all) reading or of (all, least, most) exercises, not of {self.text!r}"
        )
        return [], [message]


class Exercises(SphinxDirective):
    """The directive `exercises`: some exercises of some chapters, by name, with their sum."""

    has_content = True

    def run(self):
        chosen, chapters = [], nodes.bullet_list()
        for line in self.content:
            chapter, _, names = line.partition(":")
            known = {card.name: card for card in read_cards(solutions(self.env, chapter))}
            cards = []
            for name in re.split(r",\s*", names.strip()):
                if name not in known:
                    raise self.error(f"{chapter} has no exercise {name!r}, but {', '.join(known)}")
                cards.append(known[name])
            chapters += nodes.list_item("", self.listed(chapter, cards))
            chosen += cards
        return [
            nodes.paragraph("", "", nodes.strong(text="Exercises"), nodes.Text(f" ({summary(chosen)}):")),
            chapters,
        ]

    def listed(self, chapter, cards):
        """Return a line that leads to a chapter's exercises and names some of them, with their numbers there."""
        about = {"refdomain": "std", "reftype": "doc", "reftarget": f"/exercises/{chapter}", "refdoc": self.env.docname}
        line = nodes.paragraph("", "", pending_xref("", nodes.inline(), refexplicit=False, refwarn=True, **about))
        line += nodes.Text(": ")
        for card in cards:
            end = "." if card is cards[-1] else "; "
            line += nodes.Text(f"{card.number}{SPACE}")
            line += nodes.emphasis(text=card.title)
            line += nodes.Text(f" ({card.minutes}{SPACE}min, {card.points}{SPACE}p){end}")
        return line


def words(doctree):
    """Count the words in paragraphs, headings and captions of a page, without code and its output."""
    count = 0
    for part in doctree.findall(lambda node: isinstance(node, nodes.paragraph | nodes.title | nodes.caption)):
        if not any("cell_output" in box.get("classes", ()) for box in ancestors(part)):
            count += len(part.astext().split())
    return count


def ancestors(node):
    """Yield the ancestors of a node, its parent first."""
    while node.parent is not None:
        node = node.parent
        yield node


def reading_minutes(doctree):
    """Return how long a page takes to read, in minutes, to the nearest five."""
    return max(5, 5 * round(words(doctree) / WORDS_A_MINUTE / 5))


def say_reading(app, doctree, docname):
    """Replace the placeholders for reading times, of this page or of all chapters with exercises, by text."""
    for node in list(doctree.findall(effort)):
        if node.get("all"):
            pages = [f"book/{chapter}" for chapter in with_exercises(app.env)]
            count = sum(words(app.env.get_doctree(page)) for page in pages if page in app.env.all_docs)
            said = hours(round(count / WORDS_A_MINUTE))
        else:
            said = f"{reading_minutes(doctree)} minutes"
        node.replace_self(nodes.Text(f"about {said}"))


def setup(app):
    app.add_node(effort)
    app.add_role("effort", Effort())
    app.add_directive("exercises", Exercises)
    app.connect("doctree-resolved", say_reading)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
