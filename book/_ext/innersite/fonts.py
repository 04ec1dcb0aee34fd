"""Fonts are cut to what the book uses when the site is built, from installed packages, and never committed."""

import hashlib
import importlib.metadata
from pathlib import Path

from fontTools import subset


def cut(source, target, codes, features=()):
    """Write the glyphs of `codes` from the font at `source` to `target`, as woff2, with these OpenType features."""
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = list(features)
    options.hinting = False
    options.notdef_outline = True
    target.parent.mkdir(parents=True, exist_ok=True)
    with subset.load_font(str(source), options) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=codes)
        cutter.subset(font)
        subset.save_font(font, str(target), options)


def versions(*packages):
    """Return the versions of these packages, and of those that cut and compress fonts."""
    return [importlib.metadata.version(package) for package in (*packages, "fonttools", "brotli")]


def provide(app, name, write, module, packages):
    """Make static files by `write(folder)`, unless they exist already, and let Sphinx copy them with its own.

    The files are made again when the calling `module`, this module, or a version of `packages` changes.
    """
    if app.builder.format != "html":
        return
    folder = Path(app.outdir).parent / "site_assets" / name
    sources = [Path(file).read_text("utf8") for file in (module, __file__)]
    key = hashlib.sha256(repr((versions(*packages), sources)).encode()).hexdigest()
    stamp = folder.with_suffix(".key")
    if not (stamp.is_file() and stamp.read_text("utf8") == key):
        folder.mkdir(parents=True, exist_ok=True)
        write(folder)
        stamp.write_text(key, "utf8")
    app.config.html_static_path.append(str(folder))
