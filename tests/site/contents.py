"""The pages of the book, by its table of contents."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def pages_of(toc):
    """Return the names of the pages that a table of contents lists, in reading order."""
    found = [toc[key] for key in ("root", "file") if key in toc]
    for key in ("parts", "chapters", "sections", "entries", "subtrees"):
        for entry in toc.get(key, []):
            found += pages_of(entry)
    return found


PAGES = [*pages_of(yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))), "search", "genindex"]
