"""What others are told about a page and about the book: addresses, citation, lists of pages."""

import json
import re
import tomllib
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from innersite import head, pages
from innersite.citation import read_citation

GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "Someone/book"}
HOME = "https://someone.github.io/book/"


@pytest.fixture
def citation(request):
    """How the book is cited."""
    return read_citation(request.config.rootpath)


@pytest.mark.parametrize(
    ("configured", "environment", "expected"),
    [
        ("", {}, ""),
        (None, {}, ""),
        ("", GITHUB, HOME),
        ("", GITHUB | {"GITHUB_REPOSITORY": "Someone/someone.github.io"}, "https://someone.github.io/"),
        ("https://book.test/en", GITHUB, "https://book.test/en/"),
        ("", GITHUB | {"GITHUB_SERVER_URL": "https://git.company.test"}, ""),
        ("", {"GITHUB_REPOSITORY": "someone/book"}, ""),
    ],
)
def test_address_of_the_site(configured, environment, expected):
    assert head.site_address(configured, environment) == expected


def app_for(folder, root, address=""):
    """An application that builds three pages into a folder."""
    builder = SimpleNamespace(name="html", get_target_uri=lambda name: f"{name}.html")
    config = SimpleNamespace(html_baseurl=address, root_doc="book/index", language="en", html_title="The Book")
    env = SimpleNamespace(all_docs={"book/index": 1, "book/a": 1, "book/b&c": 1})
    return SimpleNamespace(outdir=folder, srcdir=root, builder=builder, config=config, env=env)


def test_lists_of_pages(tmp_path):
    head.write_lists(app_for(tmp_path, tmp_path, HOME), None)
    sitemap = ElementTree.parse(tmp_path / "sitemap.xml").getroot()
    found = [place.text for place in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert found == [f"{HOME}{name}.html" for name in ("book/a", "book/b&c", "book/index")]
    assert f"Sitemap: {HOME}sitemap.xml" in (tmp_path / "robots.txt").read_text("utf8").splitlines()
    head.write_lists(app_for(tmp_path, tmp_path), None)  # the same folder, when no address is known any more
    assert not (tmp_path / "sitemap.xml").exists()
    assert (tmp_path / "robots.txt").read_text("utf8") == "User-agent: *\nAllow: /\n"


@pytest.mark.parametrize(("address", "canonical"), [("", "book/index.html"), (HOME, f"{HOME}book/index.html")])
def test_front_door_names_the_page_it_leads_to(tmp_path, address, canonical):
    pages.write_front_door(app_for(tmp_path, tmp_path, address), None)
    door = (tmp_path / "index.html").read_text("utf8")
    assert f'<link rel="canonical" href="{canonical}">' in door
    assert 'content="0; url=book/index.html"' in door


def told(root, pagename, address=""):
    """The meta tags of a page, by name, and its linked data."""
    said = '\n<meta content="Is it &quot;so&quot;, &lt;really&gt;?" name="description" />'
    context = {"title": "<em>What</em> &amp; why", "metatags": said}
    head.tell(app_for(root, root, address), pagename, "page.html", context, None)
    tags = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', context["metatags"]))
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', context["metatags"])[1]
    assert "<" not in data
    return tags, json.loads(data)


def test_a_chapter_says_what_it_is(request, citation):
    tags, data = told(request.config.rootpath, "book/a", HOME)
    assert tags["citation_title"] == tags["og:title"] == "What &amp; why"
    assert tags["og:description"] == "Is it &quot;so&quot;, &lt;really>?"
    assert tags["citation_inbook_title"] == data["isPartOf"]["name"] == citation.title
    assert tags["citation_author"] == data["author"][0]["name"] == citation.authors[0]
    assert tags["citation_publication_date"] == data["datePublished"].replace("-", "/")
    assert tags["og:url"] == tags["citation_fulltext_html_url"] == data["url"] == f"{HOME}book/a.html"
    assert (data["@type"], data["name"], data["description"]) == ("Chapter", "What & why", 'Is it "so", <really>?')


def test_the_first_page_stands_for_the_book(request, citation):
    tags, data = told(request.config.rootpath, "book/index")
    assert tags["citation_title"] == data["name"] == citation.title
    assert (data["@type"], data["version"]) == ("Book", citation.version)
    assert "citation_inbook_title" not in tags
    assert "url" not in data
    assert "og:url" not in tags


def test_nothing_is_said_of_the_search(request):
    context = {"title": "Search", "metatags": ""}
    head.tell(app_for(request.config.rootpath, request.config.rootpath), "search", "search.html", context, None)
    assert context["metatags"] == ""


def test_version_and_date_are_the_same_everywhere(request, citation):
    root = request.config.rootpath
    assert tomllib.loads((root / "pyproject.toml").read_text("utf8"))["project"]["version"] == citation.version
    latest = re.search(r"^## (\d+\.\d+\.\d+), (.+)$", (root / "book" / "changelog.md").read_text("utf8"), re.MULTILINE)
    released = citation.released
    assert latest.groups() == (citation.version, f"{released.day} {released:%B %Y}")


def test_citation_has_all_parts(citation):
    text, entry = citation.text(HOME), citation.bibtex(HOME)
    for part in (*citation.authors, citation.title, citation.version, str(citation.released.year), HOME):
        assert part in text
        assert part in entry
    assert entry.count("{") == entry.count("}")
    assert "url" not in citation.bibtex()
