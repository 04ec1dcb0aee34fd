"""A page being read in a browser."""

import time
from urllib.parse import urlsplit

PATIENCE = 300  # seconds to wait at most for what a page shows, on a busy machine too


def wait_for(page, condition, seconds=PATIENCE):
    """Wait until something holds; tell whether it came to that. What the page asks for meanwhile is let through."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        page.wait_for_timeout(200)  # to sleep would keep its requests from being routed
    return False


def after(page, milliseconds):
    """Wait for a timer within the page: it fires when all that were due before have fired, however busy the machine."""
    page.evaluate(
        """async milliseconds => {
          const frame = () => new Promise(done => { requestAnimationFrame(done); setTimeout(done, 2000); });
          await frame(); // what waits until all is laid out to set its timer has set it
          await frame();
          await new Promise(done => setTimeout(done, milliseconds));
        }""",
        milliseconds,
    )


class Reader:
    """A page being read, with all that it asked for and complained of."""

    def __init__(self, browser, address, width=1280, colors="light", **options):
        self.address, self.complaints, self.foreign = address, [], []
        self.scripts = options.get("java_script_enabled", True)
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=colors, reduced_motion="reduce", **options
        )
        self.context.set_default_timeout(1000 * PATIENCE)
        self.context.route("**/*", self.answer)
        self.page = self.context.new_page()
        self.page.on("console", self.heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        self.page.on("response", self.answered)

    def heard(self, message):
        """Note what the console calls an error or a warning."""
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def answered(self, response):
        """Note an answer that is no success."""
        if response.status >= 400:
            self.complaints.append(f"status {response.status}: {response.url}")

    def answer(self, route):
        """Let requests to the book through, and note and stop all others."""
        parts = urlsplit(route.request.url)
        home = urlsplit(self.address)
        if parts.scheme in ("data", "blob") or (parts.scheme, parts.netloc) == (home.scheme, home.netloc):
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()

    def open(self, name):
        """Go to the page called `name`."""
        self.page.goto(f"{self.address}/{name}.html")
        if self.scripts:  # without them, nothing waits, and a wait within the page would never end
            self.come_near()
        self.settle()

    def come_near(self):
        """Scroll past all that waits for the reader to come near: widgets, and pictures. Ends at the top."""
        self.page.evaluate(
            """async () => {
              // a window that is not drawn has no frames
              const frame = () => new Promise(done => { requestAnimationFrame(done); setTimeout(done, 200); });
              const there = waiting => (waiting.matches("img") ? waiting.complete : !waiting.isConnected);
              for (const waiting of document.querySelectorAll("[data-innerlab], img[loading=lazy]")) {
                if (waiting.getClientRects().length === 0) continue; // veiled, or in a closed fold
                waiting.scrollIntoView();
                for (let i = 0; i < 300 && !there(waiting); i++) await frame();
              }
              scrollTo(0, 0);
            }"""
        )

    def settle(self):
        """Wait until fonts are there and the script that marks scrolling boxes, if any, is done.

        It is done a while after the page was last laid out; a timer of the page's own, set now, fires after its timer.
        """
        marks = "document.fonts.ready.then(() => document.querySelector(\"script[src*='site.js']\") !== null)"
        if self.page.evaluate(marks) and self.scripts:
            after(self.page, 450)
            # The first key has all widgets mounted, in folds too, and the script look at them.
            self.page.evaluate("() => { dispatchEvent(new KeyboardEvent('keydown', { key: 'Shift' })); }")

    def look(self, width, colors):
        """Read on in a window of this width and in these colors."""
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.emulate_media(color_scheme=colors)
        self.settle()
