"""`offbeat doctor`: is everything there that Offbeat needs, and if not, what to type."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import shutil
import tempfile
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

import offbeat
from offbeat.cli.model_options import base_url_flag, option_flag, read_options
from offbeat.cli.table import one_line

if TYPE_CHECKING:
    from offbeat.dataset.variant import Variant
    from offbeat.models.base import JsonValue

NEEDED_CODECS = {"libx264": "H.264 picture", "aac": "AAC sound", "flac": "FLAC sound"}
LIBRARIES = ("av", "numpy", "scipy", "pydantic", "click", "rich", "jinja2", "altair", "starlette", "uvicorn")
ENOUGH_DISK_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: its name.
        found: what was found.
        ok: whether that is enough.
        remedy: the line to type, or what to do, where it is not.
    """

    what: str
    found: str
    ok: bool = True
    remedy: str | None = None


@click.command(
    epilog="""\b
    Examples:
      offbeat doctor
      offbeat doctor --model mymodels.py:Mine --option fps=4
    """
)
@click.option("--model", "spec", metavar="SPEC", help="Try out instead what this model promises: about ten calls.")
@option_flag
@base_url_flag
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(spec: str | None, option_texts: tuple[str, ...], base_url: str | None, as_json: bool) -> int:
    """Look at versions, codecs, extras and disk; exit with 1 where something that Offbeat needs is missing.

    With --model, show a model three clips of 2 seconds, with the sound early, in step and late, and see whether it
    keeps what every model promises: well-formed replies, the same ones in any order, no look at the truth. Exit with 1
    where it does not. Whether it hears and sees is another matter, told by `offbeat probe`.
    """
    if spec is None and (option_texts or base_url):
        raise click.UsageError("--option and --base-url belong to a model; name it with --model")
    findings = examine() if spec is None else try_out(spec, read_options(option_texts, base_url, [spec]))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            bad = "MISSING" if spec is None else "FAULT"
            mark = click.style("ok     ", fg="green") if finding.ok else click.style(f"{bad:<7}", fg="red")
            click.echo(f"{mark} {finding.what:<{width}}  {one_line(finding.found, 500)}")
            if finding.remedy:
                click.echo(f"{'':<7} {'':<{width}}  {finding.remedy}")
    return 0 if all(finding.ok for finding in findings) else 1


def try_out(spec: str, options: dict[str, JsonValue]) -> list[Finding]:
    """What a model promises, tried out on small clips.

    Raises:
        ModelUnavailable: there is no such model.
    """
    from offbeat.evaluation.contract import check_model
    from offbeat.models.keys import redacted
    from offbeat.models.registry import make_model

    make_model(spec, options=options)
    with tempfile.TemporaryDirectory() as name:
        variants = _build_card(Path(name), length_s=2, delays_s=(Fraction(-2, 5), Fraction(0), Fraction(2, 5)))
        checks = check_model(lambda: make_model(spec, options=options), variants)
    return [Finding(check.what, redacted(check.found), ok=check.verdict != "fault") for check in checks]


def examine() -> list[Finding]:
    """All findings, the needed ones first."""
    return [
        Finding("Offbeat", f"{offbeat.__version__}, Python {platform.python_version()}, {platform.platform()}"),
        *(_library(name) for name in LIBRARIES),
        *_codecs(),
        _round_trip(),
        _disk(),
        *_extras(),
    ]


def _library(name: str) -> Finding:
    try:
        return Finding(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "not installed", ok=False, remedy="pip install --force-reinstall offbeat")


def _codecs() -> list[Finding]:
    if importlib.util.find_spec("av") is None:
        return []
    import av

    version = Finding("FFmpeg", f"{av.ffmpeg_version_info} inside PyAV")
    codecs = [
        Finding(f"codec {name}", meaning)
        if name in av.codecs_available
        else Finding(
            f"codec {name}",
            f"{meaning}: not in this build of PyAV",
            ok=False,
            remedy="pip install --force-reinstall --only-binary av av",
        )
        for name, meaning in NEEDED_CODECS.items()
    ]
    return [version, *codecs]


def _round_trip() -> Finding:
    """Make a source, build two variants of it, and see that their delays come out as they should."""
    from offbeat.errors import OffbeatError

    with tempfile.TemporaryDirectory() as name:
        try:
            variants = _build_card(Path(name), length_s=1, delays_s=(Fraction(-1, 2), Fraction(1, 2)))
        except OffbeatError as error:
            return Finding("round trip", str(error), ok=False, remedy="report this, with the lines above")
    measured = [variant.row.measured_delay_ms for variant in variants]
    return Finding("round trip", f"delays of -500 and 500 ms written, {measured} ms read back")


def _build_card(folder: Path, *, length_s: int, delays_s: tuple[Fraction, ...]) -> tuple[Variant, ...]:
    """Variants of a small test card."""
    from offbeat.dataset.build import build_dataset, plan_dataset
    from offbeat.dataset.folder import open_dataset
    from offbeat.dataset.offer import scan_sources
    from offbeat.dataset.settings import BuildSettings
    from offbeat.dataset.sources import read_sources
    from offbeat.media.synth.testcard import make_testcard, write_testcard

    settings = BuildSettings(lengths_s=(Fraction(length_s),), delays_s=delays_s)
    (folder / "in").mkdir()
    card = make_testcard(length_s=Fraction(length_s + 2), width=160, height=90)
    write_testcard(folder / "in" / "card.mp4", card, codec="h264")
    planned = plan_dataset(scan_sources(read_sources(folder / "in"), jobs=1, advance=lambda: None), settings)
    build_dataset(planned, settings, out=folder / "out", jobs=1, advance=lambda: None)
    return open_dataset(folder / "out").variants


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    enough = free >= ENOUGH_DISK_BYTES
    remedy = None if enough else "the study's set in files takes about 10 GB: choose an --out with more room"
    return Finding("disk here", f"{free / 1e9:.1f} GB free", ok=enough, remedy=remedy)


def _extras() -> list[Finding]:
    """Optional parts; that one is absent is no fault."""
    findings: list[Finding] = []
    for extra, modules in _extras_of_package().items():
        absent = [module for module in modules if not _installed(module)]
        if absent:
            line = f'only if you want it: pip install "offbeat[{extra}]"'
            findings.append(Finding(f"extra {extra}", f"without {', '.join(absent)}", remedy=line))
        else:
            findings.append(Finding(f"extra {extra}", "installed"))
    return findings


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _extras_of_package() -> dict[str, list[str]]:
    """Extra and the distributions that it adds, from the package's own metadata."""
    extras: dict[str, list[str]] = {}
    for requirement in importlib.metadata.requires("offbeat") or []:
        text, _, marker = requirement.partition(";")
        if "extra ==" not in marker:
            continue
        extra = marker.split("extra ==")[1].strip(" '\"")
        name = text.split("[")[0].split(">")[0].split("=")[0].split("<")[0].strip()
        extras.setdefault(extra, []).append(name)
    return extras
