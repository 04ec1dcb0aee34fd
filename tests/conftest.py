"""What several test files share: a laboratory without judges; the built book, served, and a browser to read it with.

The book is built once a run, whichever worker comes first.
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
from contents import PAGES
from filelock import FileLock
from reader import PATIENCE, Reader

from bench.serving import BROWSER_FLAGS, Compressing, find_browser, serving

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = {"width": 1280, "height": 1400}
NO_BROWSER = "no Chromium or Chrome: install one (apt install chromium, or python -m playwright install chromium)"


@pytest.fixture(scope="session")
def blind(tmp_path_factory):
    """Settings for a process in which the laboratory is there, but no chapter's judges are."""
    from innerlab.marking.confinement import (  # not at the top: most tests can do without PyTorch
        AGENTS,
        JUDGES,
        blind_copy,
    )

    folder = blind_copy(tmp_path_factory.mktemp("blind"))
    for name in JUDGES:
        assert list((ROOT / "innerlab" / "chapters").glob(f"*/{name}"))
        assert not list((folder / "innerlab" / "chapters").glob(f"*/{name}"))
    return {"environment": os.environ | {"PYTHONPATH": str(folder), "INNERLAB_AGENTS": str(folder / AGENTS)}}


@pytest.fixture(scope="session")
def pages():
    """Return the names of all pages, in reading order."""
    return PAGES


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

    expect.set_options(timeout=1000 * PATIENCE)
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
            for _ in range(2 * PATIENCE):
                try:
                    urllib.request.urlopen(f"{address}/api", timeout=PATIENCE).close()
                    break
                except OSError:
                    assert server.poll() is None, log.read_text("utf8")[-3000:]
                    time.sleep(0.5)
            else:
                pytest.fail(f"JupyterLab does not answer:\n{log.read_text('utf8')[-3000:]}")
            yield address
        finally:
            server.terminate()
            server.wait(PATIENCE)


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
            context.set_default_timeout(1000 * PATIENCE)
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


@pytest.fixture(scope="module")
def widgets(request):
    """The widgets that the module makes for pages of their own, by name."""
    return request.module.made()


@pytest.fixture(scope="module")
def folder(widgets, tmp_path_factory):
    """A folder with pages that show the module's widgets; see `widget_pages.write_pages`."""
    from widget_pages import write_pages

    place = tmp_path_factory.mktemp("widgets")
    write_pages(place, widgets.values())
    return place


@pytest.fixture
def look_at(read_at, folder, serve_strictly):
    """Return a function that opens a page with widgets alone, served under a strict policy or as a file."""

    def opened(name="once", scheme="http", **options):
        return read_at(name, serve_strictly(folder) if scheme == "http" else folder.as_uri(), **options)

    return opened
