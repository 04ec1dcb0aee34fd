"""Serves the built book on this machine as real hosts do, and finds a browser to read it with."""

import contextlib
import functools
import gzip
import http.server
import shutil
import threading
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_FLAGS = ["--no-sandbox", "--headless", "--disable-gpu"]
BROWSER_FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


def find_browser():
    """Return the path of an installed Chromium or Chrome, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serves files as real hosts do: text is compressed, fonts and pictures are as they are."""

    protocol_version = "HTTP/1.1"
    policy = ""  # a content security policy, if any

    def log_message(self, *arguments):
        """Say nothing."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        data, compressible = (
            path.read_bytes(),
            path.suffix in {".html", ".css", ".js", ".svg", ".json", ".md", ".ipynb"},
        )
        data = gzip.compress(data, 6) if compressible else data
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(data)))
        if compressible:
            self.send_header("Content-Encoding", "gzip")
        if self.policy:
            self.send_header("Content-Security-Policy", self.policy)
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def serving(folder, handler=Compressing):
    """Serve a folder on this machine; yields the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
