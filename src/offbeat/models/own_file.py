"""A model from a Python file of the user's own: ``mymodels.py:Mine``, or ``mymodels.py:Mine:argument``.

The file is run as a module of a private name, so that it hides nothing; it may import its neighbours, and what lies in
the current folder, after everything that is installed. That it runs at all is the user's wish, as with any program:
never take such a file from a stranger.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import cast

from offbeat.errors import ModelUnavailable
from offbeat.models.base import Model


def load_class(file: str, name: str) -> Callable[..., Model]:
    """The class, or whatever makes the model, from the file.

    Args:
        file: relative to the current folder.
        name: of the class.

    Raises:
        ModelUnavailable: no such file, it cannot be run, or has no such class; the text names file, line and class.
        ImportError: the file imports what is not installed.
    """
    path = Path(file)
    if not path.is_file():
        raise ModelUnavailable(f"{file}: no such file; expected a Python file with the class {name!r}")
    module = _run(path, file)
    found = getattr(module, name, None)
    if not callable(found):
        own = [key for key, value in vars(module).items() if _is_model(value, module)]
        fault = f"no class {name!r} in it" if name else f"expected {file}:CLASS"
        raise ModelUnavailable(f"{file}: {fault}; its models are: {', '.join(own) or 'none'}")
    return cast("Callable[..., Model]", found)


def place_of(error: BaseException, file: str) -> str:
    """What went wrong, and in which line of the file."""
    if isinstance(error, SyntaxError) and error.filename:
        where = Path(error.filename).name if Path(error.filename) != Path(file).resolve() else file
        return f"{where}, line {error.lineno}: {error.msg}: {(error.text or '').strip()}"
    lines = [at.lineno for at in traceback.extract_tb(error.__traceback__) if Path(at.filename) == Path(file).resolve()]
    where = f"{file}, line {lines[-1]}" if lines else file
    return f"{where}: {type(error).__name__}: {error}"


def _run(path: Path, file: str) -> ModuleType:
    full = path.resolve()
    name = f"_offbeat_own_{hashlib.sha256(str(full).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, full)
    if spec is None or spec.loader is None:
        raise ModelUnavailable(f"{file}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    for folder in (str(full.parent), str(Path.cwd())):
        if folder not in sys.path:
            sys.path.append(folder)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        del sys.modules[name]
        if "relative import" in str(error):
            raise ModelUnavailable(
                f"{place_of(error, file)}; a neighbour is imported by its name: import NAME"
            ) from error
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ModelUnavailable(place_of(error, file)) from error
    return module


def _is_model(value: object, module: ModuleType) -> bool:
    return isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "reply")
