"""Writes what an author begins with: `python run.py new chapter NAME`.

The templates lie in `chapter/`, each where its file goes, with NAME in the place of the chapter's name. What they make
is a small experiment that is true and passes every check, so that the author changes a chapter that works. A new
chapter also enters the lists that must know it; its profile is measured, and so it has run once.

Nothing is written over. When anything fails, everything is as it was.
"""

import contextlib
import keyword
import re
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from innerlab.checks import release
from innersite.cards import read_cards

USAGE = "usage: python run.py new chapter NAME"
TEMPLATES = Path(__file__).with_name("chapter")
ENDING = ".template"
LONGEST = 30  # characters of a name; it stands in titles and addresses
SAYS_NOTHING = ("utils", "helpers", "common", "misc")  # tests/test_style.py forbids them for every file
ENTRY = "Inner alignment requires making assumptions about human values"  # of the reading map; the example is a case


class Template(string.Template):
    """Text with blanks such as §name; dollars stand in formulas."""

    delimiter = "§"


# Names


def check_name(root: Path, name: str) -> None:
    """Complain about a name that no new chapter can have.

    Raises:
        ValueError: if it is no name for files, modules and addresses alike, or something has it already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > LONGEST:
        raise ValueError(
            f"{name!r} is no name for a chapter; use lower-case letters, digits and single underscores, "
            f"a letter first, at most {LONGEST} characters: two_cues"
        )
    if keyword.iskeyword(name):
        raise ValueError(f"{name!r} is a word of Python and cannot name a module")
    if name in SAYS_NOTHING:
        raise ValueError(f"{name!r} says nothing about what is inside; name the concept")
    places = [*new_files(name), f"exercises/{name}.ipynb", f"innerlab/chapters/{name}", f"tests/chapters/{name}"]
    places.append(f"innerlab/systems/{name}")  # the names of stored ensembles begin with that of their place
    for place in places:
        if (root / place).exists():
            raise ValueError(f"{name!r} is taken: {place} is there")


# What is written


def new_files(name: str) -> dict[str, str]:
    """Return the files that a chapter of this name begins with: their places and their texts."""
    blanks = {"name": name, "slug": name.replace("_", "-"), "title": name.replace("_", " ").capitalize()}
    found = {}
    for path in sorted(TEMPLATES.rglob(f"*{ENDING}")):
        place = path.relative_to(TEMPLATES).as_posix().removesuffix(ENDING).replace("NAME", name)
        found[place] = Template(path.read_text("utf8")).substitute(blanks)
    return found


def in_contents(text: str, name: str) -> str:
    """Add a chapter to `_toc.yml`, behind the last one that has exercises."""
    chapters = list(re.finditer(r"^( *)- file: book/\w+\n\1  sections:\n( *)- file: exercises/\w+\n", text, re.M))
    last = found(chapters, "_toc.yml lists no chapter with exercises")
    indent, below = last[1], last[2]
    added = f"{indent}- file: book/{name}\n{indent}  sections:\n{below}- file: exercises/{name}\n"
    return text[: last.end()] + added + text[last.end() :]


def on_front_page(text: str, name: str) -> str:
    """Add a chapter to the list at the end of `book/index.md`."""
    entries = list(re.finditer(r"^\[\]\(\w+\.md\)\n: .+\n(?:  .+\n)*", text, re.M))
    last = found(entries, "book/index.md lists no chapter as [](name.md) and a line that begins with a colon")
    added = (
        f"\n[]({name}.md)\n: In training two cues always agree, and then they part.\n"
        "  Which of them does a learner follow, and could we have known?\n"
    )
    return text[: last.end()] + added + text[last.end() :]


def in_syllabus(root: Path, text: str, name: str) -> str:
    """Add a chapter and its exercises to the lightest week of the longest syllabus in `book/teaching.md`."""
    begins = found(list(re.finditer(r"^### .+ weeks$", text, re.M)), "book/teaching.md has no syllabus").end()
    weeks = re.finditer(
        r"^\*\*Read\*\* .+(?P<stop>\.)\n\n```\{exercises\}\n(?P<asked>(?:.+: .+\n)+)(?=```)", text[begins:], re.M
    )
    minutes = {
        (path.stem, card.name): card.minutes for path in (root / "solutions").glob("*.md") for card in read_cards(path)
    }

    def load(week: re.Match) -> int:
        lines = [line.partition(": ") for line in week["asked"].splitlines()]
        return sum(minutes[chapter, own] for chapter, _, names in lines for own in names.split(", "))

    week = found(sorted(weeks, key=load, reverse=True), "book/teaching.md: the longest syllabus has no weeks")
    own = ", ".join(each for chapter, each in minutes if chapter == name)
    stop, end = begins + week.start("stop"), begins + week.end()
    return f"{text[:stop]}; []({name}.md){text[stop:end]}{name}: {own}\n{text[end:]}"


def on_reading_map(text: str, name: str) -> str:
    """Let an entry of `book/reading.md` point at the chapter, as what the entry claims runs there."""
    here = rf"^\*\*\[{re.escape(ENTRY)}\].*\n(?:.+\n)*?  \*Here:\* (?:.+\n)*?.+(?=\\\n  \*Reply:\*)"
    entry = found(
        list(re.finditer(here, text, re.M)), f"book/reading.md has no entry {ENTRY!r} with *Here* and *Reply*"
    )
    added = f"\n  The smallest such learner, of two weights, is in []({name}.md)."
    return text[: entry.end()] + added + text[entry.end() :]


def found(matches: list, complaint: str):
    """Return the last match, or complain."""
    if not matches:
        raise ValueError(f"{complaint}, so that there is no place for the new chapter")
    return matches[-1]


def measure(root: Path, name: str) -> None:
    """Run the chapter once and add its profile to `bench/profiles.json`.

    Raises:
        RuntimeError: if it does not run.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--profile", name], cwd=root, capture_output=True, encoding="utf-8"
    )
    if done.returncode:
        raise RuntimeError(f"the chapter does not run:\n{(done.stdout + done.stderr)[-3000:]}")


@contextlib.contextmanager
def all_or_nothing(root: Path, new: list[str], changed: list[str]) -> Iterator[None]:
    """Take back what was written inside when anything goes wrong there, an interrupt too."""
    before = {place: (root / place).read_bytes() for place in changed}
    folders = {parent for place in new for parent in (root / place).relative_to(root).parents}
    absent = sorted(str(folder) for folder in folders if not (root / folder).exists())
    try:
        yield
    except BaseException:
        for place, content in before.items():
            (root / place).write_bytes(content)
        for place in new:
            (root / place).unlink(missing_ok=True)
        for folder in absent:
            shutil.rmtree(root / folder, ignore_errors=True)
        raise


def new_chapter(root: Path, name: str) -> tuple[list[str], list[str]]:
    """Write a chapter that runs, with exercises, a wing and tests.

    Args:
        root: the book's folder.
        name: of the chapter.

    Returns:
        the files that are new, and those that were changed.

    Raises:
        ValueError: if the name will not do, or a list that must know the chapter has no place for it.
        RuntimeError: if the chapter does not run here.
    """
    check_name(root, name)
    files, exercises = new_files(name), f"exercises/{name}.ipynb"
    new = sorted([*files, exercises])
    changed = ["_toc.yml", "book/index.md", "book/teaching.md", "book/reading.md", "bench/profiles.json"]
    with all_or_nothing(root, new, changed):
        for place, text in files.items():
            write_new(root / place, text)
        write_new(root / exercises, release.text_of(release.released(root / "solutions" / f"{name}.md")))
        for place, insert in (
            ("_toc.yml", in_contents),
            ("book/index.md", on_front_page),
            ("book/teaching.md", lambda text, name: in_syllabus(root, text, name)),
            ("book/reading.md", on_reading_map),
        ):
            text = insert((root / place).read_text("utf8"), name)
            (root / place).write_text(text, "utf8", newline="\n")
        measure(root, name)
    return new, changed


def write_new(path: Path, text: str) -> None:
    """Write a file that must not be there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)


def main(root: Path, arguments: list[str]) -> int:
    """Do what the command line asks for; return the exit code."""
    if len(arguments) != 2 or arguments[0] != "chapter" or arguments[1].startswith("-"):
        asked_for_help = arguments in (["-h"], ["--help"])
        print(USAGE, file=sys.stdout if asked_for_help else sys.stderr)
        return 0 if asked_for_help else 2
    name = arguments[1]
    print(f"Writing {name}, and running it once", flush=True)
    try:
        new, changed = new_chapter(root, name)
    except (ValueError, RuntimeError, OSError) as problem:
        print(f"Nothing was written: {problem}", file=sys.stderr)
        return 1
    for title, places in (("New", new), ("Changed", changed)):
        print(f"\n{title}:", *places, sep="\n  ")
    print(
        f"\nbook/{name}.md is a small experiment that passes every check. Put yours in its place, part by part:\n"
        'the section "Add a chapter" of CONTRIBUTING.md says what each file is for. Then: git add, and\n'
        "  python run.py book\n  python run.py test"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(), sys.argv[1:]))
