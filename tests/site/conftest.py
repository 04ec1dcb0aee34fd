"""Every page of the book for a test that asks for a `name`, and what pages weigh."""

import json

import pytest
from contents import PAGES
from filelock import FileLock


def pytest_generate_tests(metafunc):
    """Run a test that asks for a `name` on every page.

    All such tests of a file run on one page before the next, so that a fixture of scope "module" may open the page.
    """
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", PAGES, scope="module")


@pytest.fixture(scope="session")
def weights(site, of_this_run):
    """Return a dictionary of what each page weighs, kept in _build/page_bytes.json for the status page."""
    noted = {}
    yield noted
    with FileLock(of_this_run / "weights.lock"):
        shared = of_this_run / "weights.json"
        found = (json.loads(shared.read_text("utf8")) if shared.is_file() else {}) | noted
        shared.write_text(json.dumps(found), "utf8")
        if found:
            text = json.dumps({page: found[page] for page in PAGES if page in found}, indent=1)
            (site.parent / "page_bytes.json").write_text(text + "\n", "utf8")
