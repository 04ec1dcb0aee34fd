"""The front ends as their two homes want them: one module for a notebook, one classic script for all pages.

A front end is a file of plain JavaScript in ``front/``: an ES module that exports ``render({model, el})`` and imports
from its neighbors by lines of the form ``import { name, name } from "./neighbor.js";``. A notebook's anywidget takes
one module without imports, and a page opened from a file may load no modules at all. So files are joined here, each in
a function of its own, in the order of their imports; nothing else is done to them.
"""

import re
from pathlib import Path

FRONT = Path(__file__).parent / "front"
SHARED = "widget"  # the style that every widget has
_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
_COMMENT = re.compile(r"^\s*(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)


def front_ends() -> list[str]:
    """The names of all front ends: the files in ``front/`` that export ``render``."""
    return sorted(path.stem for path in FRONT.glob("*.js") if "export function render(" in path.read_text("utf8"))


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
    files = [FRONT / f"{name}.css" for name in [SHARED, *_parts(front_ends() if names is None else names)]]
    return "\n".join(file.read_text("utf8") for file in files if file.is_file())


def _joined(names: list[str]) -> str:
    return "\n".join(_parts(names).values())


def _parts(names: list[str]) -> dict[str, str]:
    """The files that some are made of, by name: each behind all those that it imports."""
    parts: dict[str, str] = {}
    for name in names:
        _add(name, parts, ())
    return parts


def _add(name: str, parts: dict[str, str], within: tuple[str, ...]) -> None:
    """Puts a file behind all those that it imports."""
    if name in within:
        raise ValueError(f"{' imports '.join([*within, name])}: a circle")
    source = _COMMENT.sub("", (FRONT / f"{name}.js").read_text("utf8"))
    for _, neighbor in _IMPORT.findall(source):
        if neighbor not in parts:
            _add(neighbor, parts, (*within, name))
    body = _IMPORT.sub(lambda line: f"const {{ {line[1]} }} = ${line[2]};", source)
    body = _EXPORT.sub("", body)
    if left := re.search(r"^(?:import|export)\b.*", body, re.MULTILINE):
        raise ValueError(f"{name}.js has {left[0]!r}; only named imports from ./ and exports of declarations are read")
    exported = ", ".join(_EXPORT.findall(source))
    parts[name] = f"const ${name} = (() => {{\n{body.strip()}\nreturn {{ {exported} }};\n}})();"
