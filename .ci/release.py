"""Checks that a tag, the package, the citation and the changelog speak of one version: `python .ci/release.py v1.2.3`.

Prints what the changelog says of that version, for the release's page; or what does not fit, and fails.
"""

import datetime
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"^## (\d+\.\d+\.\d+), (\d+ [A-Z][a-z]+ \d{4})$", re.MULTILINE)


def problems(root, tag, today):
    """Return what keeps the book in the folder `root` from being released under this tag, in sentences."""
    version = tomllib.loads((root / "pyproject.toml").read_text("utf8"))["project"]["version"]
    citation = (root / "CITATION.cff").read_text("utf8")
    cited = _field(citation, "version")
    dated = _field(citation, "date-released")
    latest = HEADING.search((root / "book" / "changelog.md").read_text("utf8"))
    found = []
    if tag != f"v{version}":
        found.append(f"the tag is {tag}, but pyproject.toml says {version}")
    if cited != version:
        found.append(f"CITATION.cff says version {cited}, but pyproject.toml says {version}")
    if latest is None or latest[1] != version:
        found.append(f"book/changelog.md begins with {latest and latest[1]}, but pyproject.toml says {version}")
    try:
        date = datetime.date.fromisoformat(dated or "")
    except ValueError:
        return [*found, f"CITATION.cff was released on {dated}, which is no date such as 2026-01-31"]
    if date > today:
        found.append(f"CITATION.cff was released on {dated}, which is still to come")
    if latest is not None and latest[2] != f"{date.day} {date:%B %Y}":
        found.append(f"CITATION.cff was released on {dated}, but book/changelog.md says {latest[2]}")
    return found


def _field(citation, name):
    found = re.search(rf"^{name}: *[\"']?([^\"'\s]+)[\"']?\s*$", citation, re.MULTILINE)
    return found and found[1]


def notes(root):
    """Return what the changelog says of the latest version; links within the book become the names of pages."""
    text = (root / "book" / "changelog.md").read_text("utf8")
    latest, *earlier = HEADING.finditer(text)
    section = text[latest.end() : earlier[0].start() if earlier else None]

    def name(link):
        page = root / "book" / link[2]
        return link[1] or re.search(r"^# (.+)$", page.read_text("utf8"), re.MULTILINE)[1]

    return re.sub(r"\[([^\]]*)\]\(([\w/]+\.md)(?:#[\w-]+)?\)", name, section).strip() + "\n"


def main(arguments, root=ROOT, today=None):
    """Run the command; return the exit code."""
    if len(arguments) != 1:
        print("usage: python .ci/release.py TAG", file=sys.stderr)
        return 2
    found = problems(root, arguments[0], today or datetime.datetime.now(datetime.UTC).date())
    if found:
        print("This cannot be released:", *found, sep="\n- ", file=sys.stderr)
        return 1
    print(notes(root), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
