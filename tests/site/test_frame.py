"""What surrounds the text of a page: its description, its icons, the links that leave it."""

import re
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document
from fontTools.ttLib import TTFont

from innersite import pages

GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "someone/book"}


@pytest.fixture(autouse=True)
def no_github(monkeypatch):
    """Take away what GitHub's own machines set."""
    for name in GITHUB:
        monkeypatch.delenv(name, raising=False)


def options_for(url):
    """The theme's options for a book whose repository is at `url`."""
    launch = {
        "notebook_interface": "jupyterlab",
        "thebe": True,
        "binderhub_url": "",
        "colab_url": "",
        "deepnote_url": "",
    }
    options = {"repository_url": url, "launch_buttons": launch}
    pages.point_at_repository(None, SimpleNamespace(html_theme_options=options))
    return options


@pytest.mark.parametrize(
    ("configured", "environment", "expected"),
    [
        ("", {}, ""),
        (None, {}, ""),
        ("", GITHUB, "https://github.com/someone/book"),
        ("https://github.com/other/book/", GITHUB, "https://github.com/other/book"),
        ("", {"GITHUB_REPOSITORY": "someone/book"}, ""),
    ],
)
def test_address_of_the_repository(configured, environment, expected):
    assert pages.repository_address(configured, environment) == expected


def test_without_a_repository_nothing_leads_there():
    options = options_for("")
    assert not options["use_repository_button"]
    assert not options["use_issues_button"]
    assert [key for key in options["launch_buttons"] if key.endswith("_url")] == []
    assert options["launch_buttons"]["thebe"] is False


def test_with_a_repository_buttons_lead_to_the_branch_of_notebooks():
    options = options_for("https://github.com/someone/book")
    assert options["use_repository_button"]
    assert options["repository_branch"] == "notebooks"
    launch = options["launch_buttons"]
    assert (launch["binderhub_url"], launch["colab_url"]) == (pages.BINDER, pages.COLAB)
    assert not options["use_edit_page_button"]


def test_colab_is_offered_for_github_only():
    assert not options_for("https://gitlab.com/someone/book")["launch_buttons"]["colab_url"]


def test_launch_links_name_notebooks():
    buttons = [
        {"url": "https://x.test/blob/notebooks/book/a.md"},
        {"url": "https://y.test/v2?urlpath=lab/tree/book/a.md"},
    ]
    context = {"header_buttons": [{"label": "launch-buttons", "buttons": buttons}, {"label": "other", "url": "a.md"}]}
    pages.notebook_links(None, "book/a", "page.html", context, None)
    assert [button["url"][-12:] for button in buttons] == ["book/a.ipynb"] * 2
    assert context["header_buttons"][1]["url"] == "a.md"


def document(*blocks):
    """A page of one section with these blocks in it."""
    page = new_document("page")
    section = nodes.section()
    section += nodes.title(text="Title")
    section += list(blocks)
    page += section
    return page


def described(doctree, metatags=""):
    """The description that a page gets."""
    app = SimpleNamespace(config=SimpleNamespace(html_title="The Book"))
    context = {"metatags": metatags}
    pages.describe(app, "book/a", "page.html", context, doctree)
    return re.findall(r'name="description" content="([^"]*)"', context["metatags"])


def test_description_is_the_first_paragraph_of_prose():
    box = nodes.admonition("", nodes.paragraph(text="In a box."))
    text = nodes.paragraph("", "", nodes.Text("Say "), nodes.strong(text='"hi" & <bye>'), nodes.Text("\nto all."))
    assert described(document(box, text, nodes.paragraph(text="Later."))) == [
        "Say &quot;hi&quot; &amp; &lt;bye> to all."
    ]


def test_description_shows_formulas_as_signs():
    text = nodes.paragraph("", "", nodes.Text("Let "), nodes.math(text=r"\pi_\theta"), nodes.Text(" be a policy."))
    assert described(document(text)) == ["Let πθ be a policy."]


def test_description_of_ones_own_is_kept():
    own = '<meta name="description" content="Mine.">'
    assert described(document(nodes.paragraph(text="Other.")), own) == ["Mine."]


def test_page_without_prose_is_described_all_the_same():
    assert described(document()) == ["The Book"]


def test_long_description_ends_after_a_word():
    short = pages.shortened("word, " * 60)
    assert len(short) <= pages.DESCRIPTION_LENGTH
    assert short.endswith("word…")
    assert pages.shortened("short") == "short"


def test_scripts_wait_and_needless_ones_go():
    def script(filename, **attributes):
        return SimpleNamespace(filename=filename, attributes=attributes)

    files = [
        script("_static/doctools.js"),
        script(None, body="DOCUMENTATION_OPTIONS.pagename = 'a';"),
        script(None, body="let toggleHintShow = 'Show';"),
        script(None, type=pages.WIDGET_STATE, body="{}"),
    ]
    context = {"script_files": files}
    pages.lighten_scripts(None, "a", "page.html", context, None)
    assert context["script_files"] == [files[0], files[2]]
    assert files[0].attributes == {"defer": "defer"}
    assert "defer" not in files[2].attributes


def test_icons_are_few_and_each_has_a_drawing(tmp_path):
    pages.write_icons(tmp_path)
    sheet = (tmp_path / "icons.css").read_text("utf8")
    codes = {int(code, 16) for code in re.findall(r'content: "\\([0-9a-f]+)"', sheet)}
    drawn = set()
    for path in tmp_path.glob("*.woff2"):
        with TTFont(path) as font:
            drawn |= set(font.getBestCmap())
    assert {"bars", "magnifying-glass", "moon", "sun", "download", "rocket"} <= set(
        re.findall(r"\.fa-([\w-]+)::", sheet)
    )
    assert codes <= drawn
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 30_000
