"""The reading map: every post and system is there once, with what becomes of it here and a reply."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "book" / "reading.md").read_text("utf8")
# Posts as the forums' tag "Inner Alignment" listed them, with the authors' names where known; systems by their names;
# chapters that entries wait for. When one is written, its name leaves the list, and its entries point at it.
LISTED = json.loads((ROOT / "tests" / "reading.json").read_text("utf8"))
CHAPTER = re.compile(r"\[\]\((\w+)\.md\)")
NOT_RUN = re.compile(r"planned|nothing to run|not run|none is run", re.IGNORECASE)


class Entry(NamedTuple):
    term: str
    body: str

    @property
    def parts(self) -> list[str]:
        """What stands before *Here*, between it and *Reply*, and after."""
        return [part.strip() for part in re.split(r"\*(?:Here|Reply):\*", self.body)]


class Post(NamedTuple):
    title: str
    author: str
    year: int
    address: str | None


def entries(text: str) -> list[Entry]:
    return [Entry(term, body) for term, body in re.findall(r"^(\S.*)\n: (.+(?:\n {2,}.+)*)", text, re.MULTILINE)]


def post(term: str) -> Post:
    """Take apart `**Title**, Author, year`, where the title may be a link and have escaped characters."""
    title, author, year = re.fullmatch(r"\*\*(.+)\*\*, (.+), (\d{4})", term).groups()
    linked = re.fullmatch(r"\[(.+)\]\((https://[^)]+)\)", title)
    title, address = linked.groups() if linked else (title, None)
    return Post(title.replace("\\", ""), author, int(year), address)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


GUIDE, POSTS, SYSTEMS = re.split(r"^## (?:Start here|Systems)$", PAGE, flags=re.MULTILINE)
POSTS, SYSTEMS = entries(POSTS), entries(SYSTEMS)


def test_every_listed_post_has_one_entry_and_no_other_has():
    found = [post(entry.term)[:3] for entry in POSTS]
    assert len(LISTED["posts"]) == 84
    assert sorted(found) == sorted(tuple(listed) for listed in LISTED["posts"])


@pytest.mark.parametrize("name", LISTED["systems"])
def test_every_system_has_one_entry(name):
    assert [entry.term for entry in SYSTEMS if name in entry.term] != []
    assert sum(name in entry.term for entry in SYSTEMS) == 1


def test_every_entry_says_what_it_claims_what_runs_here_and_what_was_replied():
    wrong = {}
    for entry in POSTS + SYSTEMS:
        marks = re.findall(r"\*(Here|Reply):\*", entry.body)
        if marks != ["Here", "Reply"] or min(map(len, entry.parts)) < 8:
            wrong[entry.term] = marks
        elif not CHAPTER.search(entry.parts[1]) and not NOT_RUN.search(entry.parts[1]):
            wrong[entry.term] = entry.parts[1]
    assert wrong == {}


def test_every_chapter_and_every_planned_one_is_pointed_at():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    files = [ROOT / f"{chapter['file']}.md" for part in toc.get("parts", [toc]) for chapter in part["chapters"]]
    chapters = {file.stem for file in files if "{code-cell}" in file.read_text("utf8")}
    assert len(chapters) >= 7
    here = [entry.parts[1] for entry in POSTS + SYSTEMS]
    pointed = Counter(name for text in here for name in CHAPTER.findall(text))
    assert chapters <= set(pointed)
    planned = re.findall(r'planned\b[^."]*"([^"]+)"', " ".join(here), re.IGNORECASE)
    assert set(planned) == set(LISTED["planned"])


def test_a_linked_title_leads_to_the_post_of_that_title():
    linked = [found for found in (post(entry.term) for entry in POSTS) if found.address]
    addresses = Counter(found.address for found in linked)
    assert max(addresses.values()) == 1
    named = 0
    for found in linked:
        # The forums end an address with the first words of the title.
        slug = re.search(r"/posts/\w{17}/([\w-]+)", found.address)
        if slug:
            named += 1
            title = words(found.title.removeprefix("[Question]"))
            assert words(slug[1])[:4] == title[:4], found
    assert named > 50


def test_the_paths_name_posts_that_are_there():
    titles = {post(entry.term).title for entry in POSTS}
    named = re.findall(r"(?<!\*)\*([A-Z][^*\n]{20,})\*(?!\*)", GUIDE)
    assert named
    assert set(named) <= titles
