"""The content security policy of a page allows what is in it and nothing else."""

import base64
import hashlib
from types import SimpleNamespace

import pytest

from innersite import policy

PAGE = """<html><head>
<meta charset="utf-8" />
<script>one()</script><script>one()</script>
<script type="application/ld+json">{"not": "run"}</script><script type="application/json">[]</script>
<script defer="defer" src="a.js"></script>
</head><body><button onclick="window.print()">Print</button><script type="module">two(
)</script></body></html>"""


def sha256(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def directives(html):
    """The directives of a page's policy, each with its sources."""
    content = html.split(policy.MARK)[1].split('content="')[1].split('"')[0]
    return {part.split()[0]: part.split()[1:] for part in content.split(";")}


def test_scripts_that_run_are_allowed_by_their_hashes_and_no_others():
    assert policy.inline_scripts(PAGE) == ["one()", "two(\n)"]
    found = directives(policy.secured(PAGE))
    assert found["script-src"] == ["'self'", "file:", sha256("one()"), sha256("two(\n)")]
    assert found["default-src"] == ["'self'", "file:"]
    assert found["img-src"] == ["'self'", "file:", "data:"]
    assert found["object-src"] == found["base-uri"] == ["'none'"]
    assert "unsafe" not in policy.policy(PAGE)


def test_the_policy_comes_first_and_handlers_go():
    secured = policy.secured(PAGE)
    assert secured.index(policy.MARK) < secured.index("<script")
    assert len(secured[: secured.index(policy.MARK)]) < 1024
    assert "onclick" not in secured
    assert "<button data-print>" in secured


@pytest.mark.parametrize("page", ["<html><head></head></html>", f"<script>early()</script>{PAGE}"])
def test_a_page_that_begins_otherwise_is_refused(page):
    with pytest.raises(ValueError, match="must begin with"):
        policy.secured(page)


def test_pages_are_secured_once_and_static_files_are_left(tmp_path):
    (tmp_path / "_static").mkdir()
    for name in ("page.html", "_static/template.html"):
        (tmp_path / name).write_text(PAGE, "utf8")
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(name="html"))
    for _ in range(2):
        policy.secure_pages(app, None)
        assert (tmp_path / "page.html").read_text("utf8") == policy.secured(PAGE)
    assert (tmp_path / "_static" / "template.html").read_text("utf8") == PAGE
