"""Trained agents from a local store: exercises, solutions, widgets and marking take them; chapters always train.

::

    detectors = stored("red_doors/detectors")  # trained the first time, which takes seconds; read from then on

The first word of a name is a chapter or a system, whose module ``recipes`` says in ``RECIPES`` how its ensembles are
made.

A stored ensemble is used only with the code that made it: its key covers the source of every module of the
laboratory that its recipe imports, directly or through one another, and the versions of torch and Python. With any
other key, or with a file that cannot be read, it is trained again. The key sees source text: a recipe must not
depend on a file that it reads or on a value that is only known while the program runs. A shift of all draws
(``innerlab.seeds``) does not move what is stored.

The store is the folder ``_build/agents`` of the checkout (``~/.cache/innerlab/agents`` for an installed package), or
the one that the environment variable ``INNERLAB_AGENTS`` names. A folder that holds a file ``sealed`` is taken as it
is, whatever code made it: so the answers of strangers get ensembles without the code that says how they were made.
Nothing in a store is precious. Weights are read without unpickling code, so a file from a stranger can be wrong but
not harmful.
"""

import contextlib
import inspect
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor, nn

from innerlab.imports import digest, imported_files, source_text
from innerlab.seeds import with_shift
from innerlab.wings import LABORATORY, module_of, places_with

PLACE = "INNERLAB_AGENTS"
SEALED = "sealed"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """How an ensemble is made, as two functions that are written in a file.

    Attributes:
        untrained: makes the ensemble as it is before training; stored weights are put into it, too.
        train: maps that ensemble to the trained one, always to the same.
    """

    untrained: Callable[[], nn.Module]
    train: Callable[[Any], nn.Module]


def stored(name: str, recipe: Recipe | None = None, folder: str | os.PathLike | None = None) -> nn.Module:
    """An ensemble from the store; trained and stored when it is not there.

    Several processes may ask at once: one trains, the others wait for what it stores, and none reads half a file.
    Where no lock can be had, each trains for itself.

    Args:
        name: one of :func:`names`, or, with a recipe of your own, any words of ``a-z0-9_-`` joined by ``/``.
        recipe: how to make what is not there.
        folder: the store; see the module's description.

    Returns:
        An ensemble of your own: changing it changes nothing in the store.

    Raises:
        ValueError: if the name is unknown or no name, or a function of the recipe is not written in a file.

    Warns:
        UserWarning: if a file could not be read and was made again, or could not be written.
    """
    if not re.fullmatch(r"[a-z0-9_-]+(/[a-z0-9_-]+)*", name):
        raise ValueError(f"name is {name!r}; words of a-z, 0-9, '_' and '-', joined by '/', were expected")
    recipe = recipe or _recipe(name)
    folder = Path(folder) if folder is not None else store()
    path = folder / f"{name}.pt"
    wanted = None if (folder / SEALED).exists() else key(name, recipe)
    found = _read(path, wanted, recipe, warn=False)
    if found is not None:
        return found
    with _alone(path):
        found = _read(path, wanted, recipe)  # another process may have stored it meanwhile
        if found is not None:
            return found
        log.info("training %s", name)
        with with_shift(0):
            weights = recipe.train(recipe.untrained()).state_dict()
        _write(path, {"key": wanted, "weights": weights})
    return _filled(recipe, weights)


def names() -> list[str]:
    """All that can be asked for by name, sorted."""
    modules = [(place, module_of(place, "recipes", within)) for within, place in places_with("recipes")]
    return sorted(f"{place}/{own}" for place, module in modules if module for own in module.RECIPES)


def _recipe(name: str) -> Recipe:
    place, _, own = name.partition("/")
    for within in ("chapters", "systems"):
        module = module_of(place, "recipes", within)
        if module is not None and own in module.RECIPES:
            return module.RECIPES[own]
    raise ValueError(f"name is {name!r}; without a recipe, one of {', '.join(names())} was expected")


def store() -> Path:
    """The folder of stored agents when none is given."""
    if os.environ.get(PLACE):
        return Path(os.environ[PLACE])
    checkout = LABORATORY.parent
    if (checkout / "run.py").is_file() and (checkout / "_config.yml").is_file():
        return checkout / "_build" / "agents"
    return Path.home() / ".cache" / "innerlab" / "agents"


def key(name: str, recipe: Recipe) -> str:
    """A hexadecimal SHA-256 over all that decides how this recipe's ensemble comes out.

    Args:
        name: tells apart the recipes of one file.
        recipe: its functions' files, and the laboratory's modules that these import.

    Raises:
        ValueError: if a function is not written in a file.
    """
    parts = [name, f"torch {torch.__version__}", f"python {sys.version_info[0]}.{sys.version_info[1]}"]
    root = LABORATORY.parent
    files = {_source_file(name, role, getattr(recipe, role)) for role in ("untrained", "train")}
    files = files.union(imported_files(map(source_text, files), root))
    for file in sorted(files):
        parts += [file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name, source_text(file)]
    return digest(parts)


def _source_file(name: str, role: str, function: Callable) -> Path:
    try:
        source = inspect.getsourcefile(function)
    except TypeError:
        source = None
    if source is None or not Path(source).is_file():
        raise ValueError(
            f"{role} of the recipe for {name!r} is {function!r}; a function that is written in a .py file was "
            "expected, since its source is part of the key"
        )
    return Path(source).resolve()


def _filled(recipe: Recipe, weights: dict[str, Tensor]) -> nn.Module:
    with with_shift(0):
        ensemble = recipe.untrained()
    ensemble.load_state_dict(weights)
    return ensemble


def _read(path: Path, wanted: str | None, recipe: Recipe, warn: bool = True) -> nn.Module | None:
    """What the file holds if it has this key (None takes any); otherwise None, with a warning if it is broken."""
    if not path.is_file():
        return None
    try:
        content = torch.load(path, weights_only=True)
        return _filled(recipe, content["weights"]) if wanted in (None, content["key"]) else None
    except FileNotFoundError:  # another process has just removed it
        return None
    except Exception as problem:  # damage shows in many ways
        if warn:
            reason = str(problem).partition("\n")[0] or type(problem).__name__
            warnings.warn(f"{path} could not be read ({reason}); the agents are trained again", stacklevel=3)
        return None


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keeps other processes that would train for this file waiting; keeps nobody where there can be no lock."""
    lock = None
    with contextlib.suppress(OSError, NotImplementedError):  # a folder that is only for reading, or a disk far away
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_suffix(".lock"))
        lock.acquire()
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def _write(path: Path, content: dict) -> None:
    """Puts a whole file in place, or leaves what is there and warns; trained agents are too good to lose to a disk."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                torch.save(content, file)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as problem:
        warnings.warn(
            f"The trained agents could not be stored ({problem}); they will be trained again next time. "
            f"The environment variable {PLACE} can name another folder.",
            stacklevel=3,
        )
