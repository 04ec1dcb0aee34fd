"""Figures are files: there when the reader comes, as large as the page expects, in the colors that it has."""

import io
import itertools

import pytest
from PIL import Image

GROUND = {"light": (255, 255, 255), "dark": (20, 25, 31)}


@pytest.fixture
def chapter(read, pages):
    return lambda **options: read("book/pseudo_alignment", **options)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_every_figure_is_decoded_and_keeps_the_place_that_was_kept_for_it(chapter, scheme):
    page = chapter(scheme=scheme).page
    sizes = page.evaluate(
        """() => [...document.querySelectorAll(".innerlab-figure img")].map(image =>
              [image.naturalWidth, image.naturalHeight, image.width, image.height].map(Number))"""
    )
    assert len(sizes) > 5, f"only {len(sizes)} figures were found on the page"
    for natural_width, natural_height, width, height in sizes:
        assert natural_width > 0, "a figure could not be decoded"
        assert width * natural_height == pytest.approx(height * natural_width, rel=0.02), "a figure is distorted"


def test_figures_wait_until_the_reader_comes_near(read_at, served):
    reader = read_at("search", served)
    asked = []
    reader.page.on("request", lambda request: asked.append(request.url))
    reader.page.goto(f"{served}/book/pseudo_alignment.html", wait_until="networkidle")
    drawings = [url for url in asked if "/_images/" in url]
    figures = reader.page.locator(".innerlab-figure img").count()
    assert len(drawings) < figures, "all figures were fetched before the reader came near"
    reader.come_near()
    came = len({url for url in asked if "/_images/" in url})
    assert came == figures, f"of {figures} figures {came} were fetched when the reader had come near"


def test_figures_take_the_colors_of_the_page_and_not_of_the_system(chapter):
    reader = chapter()
    page = reader.page
    figure = page.locator(".innerlab-figure img").first
    for system, theme in itertools.product(("light", "dark"), repeat=2):
        reader.look(1280, system)
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        figure.scroll_into_view_if_needed()
        corner = Image.open(io.BytesIO(figure.screenshot())).convert("RGB").getpixel((2, 2))
        assert corner == GROUND[theme], f"on a {theme} page, on a {system} system, a figure's ground is {corner}"
