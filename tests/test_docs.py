"""The documentation is current: what it shows can be typed, what it links to is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import click
import pytest

from fake_dataset import write_dataset
from offbeat.cli import COMMANDS, cli
from offbeat.media.synth.testcard import make_testcard, write_testcard
from offbeat.models.base import Prompt

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


def test_the_reference_is_what_help_prints() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help
    assert "offbeat " + name in (command.epilog or ""), "an example"
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in ("help", "out", "seed"):
            assert parameter.help, f"offbeat {name} --{parameter.name} has no help"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_that_are_shown_can_be_typed(page: Path) -> None:
    """Every `$ offbeat …` line names a command and options that exist."""
    for line in re.findall(r"^\s*\$ (offbeat .*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE):
        words = shlex.split(line.split("#")[0])[1:]
        if words[0].startswith("-"):
            continue
        command = cli.get_command(click.Context(cli), words[0])
        assert command is not None, line
        known = {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
        assert {word for word in words[1:] if word.startswith("--")} <= known | {"--help"}, line


def test_the_model_of_the_how_to_answers(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "howto" / "add-a-model.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    room: dict[str, object] = {"__name__": "mymodel"}
    exec(compile(code, "mymodel.py", "exec"), room)  # noqa: S102 - our own page
    model = room["Loudness"](argument="", seed=0)  # type: ignore[operator]
    variant = write_dataset(tmp_path / "set").variants[0]
    _write_loud(variant.path)
    assert model.reply(variant, Prompt(text="?", options=("sync", "ahead", "behind"))).text == "ahead"


def _write_loud(path: Path) -> None:
    card = make_testcard(length_s=Fraction(2), width=160, height=90)
    write_testcard(path, card, codec="h264")
