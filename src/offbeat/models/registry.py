"""From a specification such as ``always:sync`` to a model.

A specification is a name, or a name, a colon and the rest, which is the model's own business. Names are looked up in
the entry point group ``offbeat.models``, so that another package can add one; its module is imported when asked for.
``mymodels.py:Mine`` is a class in a file of the user's own.

One specification may stand for several models, as ``human:FILE`` does for all people of a file: its class then has a
static method ``several``, from the argument to those of each.

A model is made with those keywords that its constructor names: ``argument``, ``seed``, and the user's options.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import cast

from offbeat.errors import ModelUnavailable, OffbeatError, SettingsError
from offbeat.models.base import JsonValue, Model
from offbeat.models.keys import redacted
from offbeat.models.own_file import load_class, place_of

GROUP = "offbeat.models"

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*?;.*\bextra\s*==\s*['\"]([^'\"]+)['\"]")
_IN_FILE = re.compile(r"(.+?\.py)(?::([^:]*))?(?::(.*))?", re.DOTALL)
_GIVEN = ("argument", "seed")
_PAIRS = (("price_name", "expected_usage"), ("at_once", "replies"))
"""Where one is missing, the other would do nothing, without a word: no bound for money, no clip's variants together."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a specification names, before it is made.

    Attributes:
        spec: the specification.
        make: called with keywords, gives the model.
        argument: what follows the name.
        place: where the code is: a file, or what the entry point names.
    """

    spec: str
    make: Callable[..., Model]
    argument: str
    place: str

    def parameters(self) -> dict[str, inspect.Parameter]:
        """The keywords that the constructor names."""
        named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return {name: p for name, p in inspect.signature(self.make).parameters.items() if p.kind in named}

    def takes_anything(self) -> bool:
        """Whether the constructor takes any keyword."""
        return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in inspect.signature(self.make).parameters.values())

    def options(self) -> dict[str, inspect.Parameter]:
        """The options that a user may set."""
        return {name: parameter for name, parameter in self.parameters().items() if name not in _GIVEN}


def known_models() -> dict[str, EntryPoint]:
    """Every installed model by its name; nothing is imported."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def find_kind(spec: str) -> Kind:
    """What a specification names; its code is imported.

    Args:
        spec: ``name``, ``name:rest``, or ``FILE.py:Class``, ``FILE.py:Class:rest``.

    Raises:
        ModelUnavailable: no such model, or its code cannot be imported; the text says what to type.
    """
    name, _, argument = spec.partition(":")
    known = known_models()
    if name in known:
        entry = known[name]
        try:
            return Kind(spec, cast("Callable[..., Model]", entry.load()), argument, entry.value)
        except (ImportError, AttributeError) as error:
            raise ModelUnavailable(_not_importable(spec, entry.value, entry, error)) from error
    in_file = _IN_FILE.fullmatch(spec)
    if in_file is None:
        raise ModelUnavailable(_unknown(spec, name, list(known)))
    file, own, argument = in_file.groups(default="")
    try:
        return Kind(spec, load_class(file, own), argument, file)
    except ImportError as error:
        raise ModelUnavailable(_not_importable(spec, file, None, error)) from error


def spelled_out(specs: Iterable[str]) -> list[str]:
    """The specifications, with each that stands for several models replaced by those of each.

    Raises:
        ModelUnavailable: see `find_kind`; or the class refuses the argument.
    """
    found: list[str] = []
    for spec in specs:
        kind = find_kind(spec)
        several = cast("Callable[[str], Sequence[str]] | None", getattr(kind.make, "several", None))
        if several is None:
            found.append(spec)
        else:
            name = spec.removesuffix(kind.argument).removesuffix(":")
            found += [f"{name}:{argument}" for argument in several(kind.argument)]
    return found


def make_model(spec: str, *, seed: int = 0, options: Mapping[str, JsonValue] = MappingProxyType({})) -> Model:
    """The model that a specification names.

    Args:
        spec: see `find_kind`.
        seed: for models that draw at random; the others ignore it.
        options: of which the model is given those that its constructor names; see `check_options` for the others.

    Raises:
        ModelUnavailable: no such model, a package that it needs is missing, or it refuses what it is given.
    """
    kind = find_kind(spec)
    named, anything = kind.parameters(), kind.takes_anything()
    if kind.argument and "argument" not in named and not anything:
        raise ModelUnavailable(f"{spec!r}: takes nothing after its name")
    given = {"argument": kind.argument, "seed": seed, **options}
    keywords = {name: value for name, value in given.items() if name in named or anything}
    missing = [name for name, p in kind.options().items() if p.default is p.empty and name not in keywords]
    if missing:
        raise ModelUnavailable(f"{spec!r} needs {' and '.join(f'--option {name}=VALUE' for name in missing)}")
    try:
        model = kind.make(**keywords)
    except OffbeatError:
        raise
    except ImportError as error:
        name = spec.partition(":")[0]
        raise ModelUnavailable(_not_importable(spec, kind.place, known_models().get(name), error)) from error
    except (Exception, SystemExit) as error:
        raise ModelUnavailable(f"{spec!r} cannot be made: {place_of(error, kind.place)}") from error
    _check_made(model, f"{spec!r} ({kind.place})", kind.place)
    return model


def _check_made(model: Model, which: str, place: str) -> None:
    """Refuse what cannot be asked, or would be stored under no name, or under a key."""
    lacking = [
        what for what in ("name", "revision", "reply") if not hasattr(type(model), what) and not hasattr(model, what)
    ]
    if lacking:
        raise ModelUnavailable(f"{which}: has no {', no '.join(lacking)}, which every model needs")
    for pair in _PAIRS:
        there = [what for what in pair if hasattr(type(model), what) or hasattr(model, what)]
        if len(there) == 1:
            (other,) = set(pair) - set(there)
            raise ModelUnavailable(f"{which}: has {there[0]}, but no {other}: one is of no use without the other")
    for what in ("name", "revision"):
        try:
            told = getattr(model, what)
        except Exception as error:
            raise ModelUnavailable(f"{which}: its {what} cannot be told: {place_of(error, place)}") from error
        if not isinstance(told, str) or not told.strip():
            raise ModelUnavailable(f"{which}: its {what} is {told!r:.80}, expected a text with something in it")
        if redacted(told) != told:
            raise ModelUnavailable(
                f"{which}: its {what}, which is kept and shown, holds a secret of the environment: {redacted(told)}"
            )
    try:
        inspect.signature(model.reply).bind(None, None)
    except TypeError as error:
        raise ModelUnavailable(f"{which}: {error}; expected a method reply(self, variant, prompt)") from error


def check_options(specs: Iterable[str], options: Iterable[str]) -> None:
    """Refuse options that none of the models takes, as a slip of the pen would otherwise change nothing, silently.

    Raises:
        SettingsError: there is such an option; the text names the models with theirs.
        ModelUnavailable: see `find_kind`.
    """
    kinds = [find_kind(spec) for spec in specs]
    if any(kind.takes_anything() for kind in kinds):
        return
    taken = {name for kind in kinds for name in kind.options()}
    for name in options:
        if name not in taken:
            near = difflib.get_close_matches(name, taken, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            theirs = "; ".join(f"{kind.spec} takes {', '.join(kind.options()) or 'no options'}" for kind in kinds)
            raise SettingsError(f"no model takes the option {name!r}{hint} ({theirs})")


def extra_of(entry: EntryPoint) -> tuple[str, list[str]] | None:
    """The extra that a model needs, and what it brings: the one of the model's name, or of its beginning.

    So ``qwen`` is the extra of ``qwen-omni``.
    """
    extras: dict[str, list[str]] = {}
    for requirement in (entry.dist.requires if entry.dist else None) or []:
        if match := _REQUIREMENT.match(requirement):
            extras.setdefault(match[2], []).append(match[1])
    own = [extra for extra in extras if entry.name == extra or entry.name.startswith(f"{extra}-")]
    return (own[0], extras[own[0]]) if own else None


def _unknown(spec: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1)
    own = f"{name}.py{spec.removeprefix(name)}"
    meant = near[0] if near else own if Path(f"{name}.py").is_file() else None
    hint = "." if meant is None else f"; did you mean {meant!r}?"
    return f"{spec!r}: there is no model {name!r}{hint} Known: {', '.join(known) or 'none'}, and FILE.py:Class"


def _not_importable(spec: str, place: str, entry: EntryPoint | None, error: ImportError | AttributeError) -> str:
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return f"{spec!r}: {place} cannot be imported: {error}"
    return (
        f"{spec!r} needs the package {error.name!r}, which is not installed; type: {_install_line(entry, error.name)}"
    )


def _install_line(entry: EntryPoint | None, missing: str) -> str:
    """The extra of the model's own distribution that brings the missing module, or else the module itself."""
    wanted, top = missing.replace(".", "-").replace("_", "-").lower(), missing.partition(".")[0].lower()
    if entry is not None and entry.dist is not None:
        for requirement in entry.dist.requires or []:
            match = _REQUIREMENT.match(requirement)
            package = match[1].replace("_", "-").lower() if match else ""
            if match and (package in (wanted, top) or package.startswith(f"{top}-")):
                return f'pip install "{entry.dist.name}[{match[2]}]"'
    return f"pip install {wanted}"
