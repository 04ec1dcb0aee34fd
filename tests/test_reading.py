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
# Posts as the forums' tag "Inner Alignment" listed them, with the authors' names where known; posts that are here
# also, though the tag did not list them; systems by their names; chapters that entries wait for. When one is
# written, its name leaves the list, and its entries point at it.
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
    assert len(LISTED["posts"]) == 84, "tests/reading.json has all posts that the forums' tag listed; leave them there"
    wanted = [tuple(listed) for listed in LISTED["posts"] + LISTED["also"]]
    lacking, extra = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
    assert not lacking, f"book/reading.md lacks an entry `**title**, author, year` for {sorted(lacking)}"
    assert not extra, f"book/reading.md has entries twice, or that tests/reading.json does not list: {sorted(extra)}"


@pytest.mark.parametrize("name", LISTED["systems"])
def test_every_system_has_one_entry(name):
    count = sum(name in entry.term for entry in SYSTEMS)
    assert count == 1, f"book/reading.md, Systems: {name!r} must stand in the head of one entry; it stands in {count}"


def test_every_entry_says_what_it_claims_what_runs_here_and_what_was_replied():
    wrong = {}
    for entry in POSTS + SYSTEMS:
        marks = re.findall(r"\*(Here|Reply):\*", entry.body)
        if marks != ["Here", "Reply"] or min(map(len, entry.parts)) < 8:
            wrong[entry.term] = marks
        elif not CHAPTER.search(entry.parts[1]) and not NOT_RUN.search(entry.parts[1]):
            wrong[entry.term] = entry.parts[1]
    assert wrong == {}, (
        "book/reading.md: an entry says what the post claims, then *Here:* with [](chapter.md) or why nothing runs, "
        f"then *Reply:*; these do not: {wrong}"
    )


def test_every_chapter_and_every_planned_one_is_pointed_at():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    files = [ROOT / f"{chapter['file']}.md" for part in toc.get("parts", [toc]) for chapter in part["chapters"]]
    chapters = {file.stem for file in files if "{code-cell}" in file.read_text("utf8")}
    with_exercises = {path.stem for path in (ROOT / "solutions").glob("*.md")}
    assert with_exercises <= chapters, f"_toc.yml lists no page with code for {sorted(with_exercises - chapters)}"
    here = [entry.parts[1] for entry in POSTS + SYSTEMS]
    pointed = Counter(name for text in here for name in CHAPTER.findall(text))
    unnamed = sorted(chapters - set(pointed))
    assert not unnamed, (
        "book/reading.md: under *Here:* of an entry that the chapter makes run, name it as [](chapter.md); "
        f"no entry names {unnamed}"
    )
    planned = re.findall(r'planned\b[^."]*"([^"]+)"', " ".join(here), re.IGNORECASE)
    assert set(planned) == set(LISTED["planned"]), (
        "book/reading.md speaks of these as planned and tests/reading.json does not, or the other way round; when a "
        f"chapter is written, take its name from both: {sorted(set(planned) ^ set(LISTED['planned']))}"
    )


def test_a_linked_title_leads_to_the_post_of_that_title():
    linked = [found for found in (post(entry.term) for entry in POSTS) if found.address]
    addresses = Counter(found.address for found in linked)
    twice = [address for address, count in addresses.items() if count > 1]
    assert not twice, f"book/reading.md: titles of two entries lead to the same address: {twice}"
    named = 0
    for found in linked:
        # The forums end an address with the first words of the title, and a number where that is taken.
        slug = re.search(r"/posts/\w{17}/([\w-]+)", found.address)
        if slug:
            named += 1
            title = words(found.title.removeprefix("[Question]"))[:4]
            assert words(slug[1])[: len(title)] == title, (
                f"book/reading.md: the address is not that of the title: {found}"
            )
    assert named > 50, f"only {named} addresses in book/reading.md end with a title; the pattern no longer finds them"


def test_the_paths_name_posts_that_are_there():
    titles = {post(entry.term).title for entry in POSTS}
    named = re.findall(r"(?<!\*)\*([A-Z][^*\n]{20,})\*(?!\*)", GUIDE)
    assert named, "book/reading.md: the three ways through name no post in *italics* any more"
    unknown = sorted(set(named) - titles)
    assert not unknown, f"book/reading.md: the ways through name posts that have no entry: {unknown}"
