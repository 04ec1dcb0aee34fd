"""The built book, served, and a browser to read it with.

The book is built once a run, whichever worker comes first. A test that asks for a `name` runs on every page, and all
such tests of a file run on one page before the next, so that a fixture of scope "module" may open the page for them.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from filelock import FileLock
from reader import Reader

from bench.serving import BROWSER_FLAGS, Compressing, find_browser, serving

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120_000  # milliseconds to wait at most for what a page shows, on a busy machine too
NOTEBOOK = {"width": 1280, "height": 1400}
NO_BROWSER = "no Chromium or Chrome: install one (apt install chromium, or python -m playwright install chromium)"


def pages_of(toc):
    """Return the names of the pages that a table of contents lists, in reading order."""
    found = [toc[key] for key in ("root", "file") if key in toc]
    for key in ("parts", "chapters", "sections", "entries", "subtrees"):
        for entry in toc.get(key, []):
            found += pages_of(entry)
    return found


PAGES = [*pages_of(yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))), "search", "genindex"]


@pytest.fixture(scope="session")
def pages():
    """Return the names of all pages, in reading order."""
    return PAGES


def pytest_generate_tests(metafunc):
    """Run a test that asks for a `name` on every page."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", PAGES, scope="module")


@pytest.fixture(scope="session")
def of_this_run(tmp_path_factory, worker_id):
    """Return a folder that all workers of this run share, and no other run."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def site(of_this_run):
    """Return the folder of the built book; building does nothing when nothing has changed."""
    said = of_this_run / "built.json"
    with FileLock(of_this_run / "build.lock"):
        if not said.is_file():
            for lock in (ROOT / "_build" / ".jupyter_cache").glob("*.running"):
                with FileLock(lock):  # other tests execute this notebook; the build takes what they store
                    pass
            command = [str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "-W", "-n", "--keep-going"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf8", errors="replace")
            said.write_text(json.dumps([done.returncode, done.stdout[-4000:] + done.stderr[-4000:]]), "utf8")
    code, text = json.loads(said.read_text("utf8"))
    assert code == 0, text
    return ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def served(site):
    """Return the address under which the book is served on this machine."""
    with serving(site) as address:
        yield address


@pytest.fixture
def serve_strictly():
    """Return a function that serves a folder with a content security policy of 'self' alone, and gives its address."""

    class Strict(Compressing):
        policy = "default-src 'self'"

    with contextlib.ExitStack() as stack:
        yield lambda folder: stack.enter_context(serving(folder, Strict))


@pytest.fixture(scope="session")
def browser():
    """Return a Chromium; without one, skip here and fail where tests must not be skipped."""
    from playwright.sync_api import Error, expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    path = find_browser()
    with sync_playwright() as playwright:
        try:
            options = {"executable_path": path} if path else {"channel": "chrome"}
            chromium = playwright.chromium.launch(args=BROWSER_FLAGS, **options)
        except Error:
            if os.environ.get("CI"):
                pytest.fail(NO_BROWSER)
            pytest.skip(NO_BROWSER)
        yield chromium
        chromium.close()


@pytest.fixture
def read_at(browser):
    """Return a function that opens the page of some name below an address."""
    readers = []

    def opened(name, address, **options):
        reader = Reader(browser, address, **options)
        readers.append(reader)
        reader.open(name)
        return reader

    yield opened
    for reader in readers:
        reader.context.close()


@pytest.fixture
def read(read_at, served, site):
    """Return a function that opens pages of the book, from the server or as files."""

    def opened(name, scheme="http", **options):
        return read_at(name, served if scheme == "http" else site.as_uri(), **options)

    return opened


@contextlib.contextmanager
def running_jupyterlab(folder):
    """Run a JupyterLab on a folder, with settings of its own; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = dict(os.environ)
    env.pop("INNERLAB_PROGRESS", None)  # checks leave their records beside the notebook, as they do for a learner
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        env |= {"JUPYTER_CONFIG_DIR": home, "JUPYTER_DATA_DIR": home}
        env |= {"JUPYTERLAB_SETTINGS_DIR": home, "JUPYTERLAB_WORKSPACES_DIR": home}
        options = [f"--port={port}", "--no-browser", "--allow-root", "--IdentityProvider.token="]
        options += [f"--notebook-dir={folder}"]
        options += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
        log = Path(home, "log.txt")
        with log.open("w") as said:
            command = [sys.executable, "-m", "jupyterlab", *options]
            server = subprocess.Popen(command, cwd=folder, env=env, stdout=said, stderr=said)
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(120):
                try:
                    urllib.request.urlopen(f"{address}/api", timeout=5).close()
                    break
                except OSError:
                    assert server.poll() is None, log.read_text("utf8")[-3000:]
                    time.sleep(0.5)
            yield address
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture
def jupyterlab():
    """Return a function that runs a JupyterLab on a folder until the test is over, and gives its address."""
    with contextlib.ExitStack() as stack:
        yield lambda folder: stack.enter_context(running_jupyterlab(folder))


@pytest.fixture
def open_notebook(browser):
    """Return a function that opens a notebook, by its address in a JupyterLab, in a page that reaches no other host."""
    with contextlib.ExitStack() as stack:

        def opened(address):
            context = stack.enter_context(browser.new_context(viewport=NOTEBOOK, reduced_motion="reduce"))
            context.set_default_timeout(PATIENCE)
            home = urlsplit(address).netloc
            context.route(
                lambda url: home not in url and not url.startswith(("data:", "blob:")), lambda route: route.abort()
            )
            page = context.new_page()
            dialog = page.get_by_role("dialog")  # on a slow machine JupyterLab asks for a kernel, or to be patient
            page.add_locator_handler(dialog, lambda: dialog.locator(".jp-mod-accept").last.click())
            page.goto(address)
            page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
            page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()  # else it asks for a kernel
            return page

        yield opened


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
