"""Bundles the front ends: one module each for a notebook, one classic script for all pages.

A front end is a file of plain JavaScript in ``front/`` of this package or of a chapter's wing: an ES module that
exports ``render({model, el})`` and imports others by lines of the form
``import { name, name } from "./neighbor.js";``, from a wing ``"../../../widgets/front/neighbor.js"``. A notebook's
anywidget takes one module without imports, and a page opened from a file may load no modules at all. So this module
joins the files, each in a function of its own, in the order of their imports; it changes nothing else.
"""

import re
from pathlib import Path

LABORATORY = Path(__file__).resolve().parents[1]
SHARED = "widget"  # the style that every widget has
_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "(?:\./|\.\./\.\./\.\./widgets/front/)(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
_COMMENT = re.compile(r"^\s*(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)


def front_ends() -> list[str]:
    """The names of all front ends: the files in a ``front/`` that export ``render``."""
    return [name for name, path in files("js").items() if "export function render(" in path.read_text("utf8")]


def files(ending: str) -> dict[str, Path]:
    """The files of all ``front/`` folders with an ending, by name, sorted.

    Raises:
        ValueError: if two files have the same name.
    """
    found: dict[str, Path] = {}
    for path in [*LABORATORY.glob(f"widgets/front/*.{ending}"), *LABORATORY.glob(f"chapters/*/front/*.{ending}")]:
        if path.stem in found:
            raise ValueError(f"{path} has the name of {found[path.stem]}; each front end needs one of its own")
        found[path.stem] = path
    return dict(sorted(found.items()))


def module(name: str) -> str:
    """One front end as a module without imports, for a notebook.

    Raises:
        ValueError: if there is no such front end, or one of its files imports or exports in a way not understood.
    """
    if name not in front_ends():
        raise ValueError(f"front end is {name!r}; one of {', '.join(front_ends())} was expected")
    return f"{_joined([name])}\nexport default {{ render: ${name}.render }};\n"


def page_script() -> str:
    """All front ends, and what mounts them on a page, as one classic script."""
    names = front_ends()
    table = ", ".join(f"{name}: ${name}.render" for name in names)
    return f'(() => {{\n"use strict";\n{_joined(["mount", *names])}\n$mount.mountAll({{ {table} }});\n}})();\n'


def style(names: list[str] | None = None) -> str:
    """The style of some front ends, or of all: what they share, then ``front/<name>.css`` of each file that has one."""
    styles = files("css")
    wanted = [SHARED, *_parts(front_ends() if names is None else names)]
    return "\n".join(styles[name].read_text("utf8") for name in wanted if name in styles)


def _joined(names: list[str]) -> str:
    return "\n".join(_parts(names).values())


def _parts(names: list[str]) -> dict[str, str]:
    """These files and all that they import, by name, each after its imports."""
    parts: dict[str, str] = {}
    scripts = files("js")
    for name in names:
        _add(name, scripts, parts, ())
    return parts


def _add(name: str, scripts: dict[str, Path], parts: dict[str, str], within: tuple[str, ...]) -> None:
    """Adds a file to ``parts`` after its imports."""
    if name in within:
        raise ValueError(f"{' imports '.join([*within, name])}: a circle")
    source = _COMMENT.sub("", scripts[name].read_text("utf8"))
    for _, neighbor in _IMPORT.findall(source):
        if neighbor not in parts:
            _add(neighbor, scripts, parts, (*within, name))
    body = _IMPORT.sub(lambda line: f"const {{ {line[1]} }} = ${line[2]};", source)
    body = _EXPORT.sub("", body)
    if left := re.search(r"^(?:import|export)\b.*", body, re.MULTILINE):
        raise ValueError(
            f"{name}.js has {left[0]!r}; only named imports of front ends and exports of declarations are read"
        )
    exported = ", ".join(_EXPORT.findall(source))
    parts[name] = f"const ${name} = (() => {{\n{body.strip()}\nreturn {{ {exported} }};\n}})();"
