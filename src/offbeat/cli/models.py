"""``offbeat models``: who can be asked, and with which options."""

from __future__ import annotations

import importlib.metadata
import inspect
import json
from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint

import click

from offbeat.cli.table import one_line


@dataclass(frozen=True, slots=True)
class Listed:
    """One model of the list.

    Attributes:
        name: with which a specification begins.
        about: one line.
        needs: the line to type before it can be used; None where nothing is missing.
        options: the keywords for --option, each with its default as text; None where it has to be given.
    """

    name: str
    about: str
    needs: str | None
    options: dict[str, str | None]


@click.command(
    epilog="""\b
    Examples:
      offbeat models
      offbeat models mymodels.py:Mine
    """
)
@click.argument("specs", metavar="[SPEC]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def models(specs: tuple[str, ...], as_json: bool) -> None:
    """List the models that are installed, or those of SPEC, with the options that each takes and their defaults.

    `offbeat run --model` takes a name, or NAME:REST, or a class of your own, FILE.py:Class.
    """
    from offbeat.models.registry import known_models

    listed = [_listed(spec, known_models().get(spec.partition(":")[0])) for spec in specs or known_models()]
    if as_json:
        click.echo(json.dumps([asdict(model) for model in listed], indent=2))
        return
    for model in listed:
        click.echo(f"{click.style(model.name, bold=True)}  {one_line(model.about)}".rstrip())
        if model.needs:
            click.echo(f"    not installed; type: {model.needs}")
        for name, default in model.options.items():
            click.echo(f"    --option {name}={'…' if default is None else one_line(default)}")


def _listed(spec: str, entry: EntryPoint | None) -> Listed:
    """What can be told without making the model; its code is imported where its packages are there."""
    from offbeat.errors import ModelUnavailable
    from offbeat.models.registry import extra_of, find_kind

    extra = None if entry is None else extra_of(entry)
    missing = [name for name in (extra[1] if extra else []) if not _installed(name)]
    needs = f'pip install "{entry.dist.name}[{extra[0]}]"' if entry and entry.dist and extra and missing else None
    try:
        kind = find_kind(spec)
    except ModelUnavailable as error:
        if entry is None:
            raise
        return Listed(spec, "" if needs else str(error), needs, {})
    about = (inspect.getdoc(kind.make) or "").partition("\n\n")[0].replace("``", "")
    return Listed(spec, " ".join(about.split()), needs, {n: _default(p) for n, p in kind.options().items()})


def _default(parameter: inspect.Parameter) -> str | None:
    if parameter.default is parameter.empty:
        return None
    default = parameter.default
    return default if isinstance(default, str) else json.dumps(default, default=str)


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
