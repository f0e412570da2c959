"""The documentation is current: what it shows can be typed, what it links to is there."""

from __future__ import annotations

import base64
import json
import re
import shlex
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from offbeat.cli import COMMANDS, cli

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


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's, in which the files of a page lie."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def _unpack(page: str, kind: str, into: Path) -> dict[str, str]:
    """The blocks of code that begin with a comment that names their file, written there."""
    text = (ROOT / "docs" / "howto" / page).read_text(encoding="utf-8")
    blocks = re.findall(rf"```{kind}\n# (\S+)\n(.*?)```", text, flags=re.DOTALL)
    for name, code in blocks:
        (into / name).write_text(code, encoding="utf-8")
    return dict(blocks)


def _shown(page: str, command: str) -> str:
    """What a page shows below a command."""
    text = (ROOT / "docs" / "howto" / page).read_text(encoding="utf-8")
    return text.split(f"$ {command}\n")[1].split("```")[0].split("\n\n")[0].rstrip()


def test_the_model_of_the_how_to_does_what_the_page_shows(room: Path) -> None:
    codes = _unpack("add-a-model.md", "python", room)
    assert list(codes) == ["mymodels.py", "served.py"]
    command = "offbeat doctor --model mymodels.py:Loudness"
    done = CliRunner().invoke(cli, shlex.split(command)[1:], standalone_mode=False)
    assert done.stdout.rstrip() == _shown("add-a-model.md", command)
    for name, code in codes.items():
        lines = [line for line in code[code.index("\nclass ") :].splitlines() if line.strip()]
        assert len(lines) <= 16, f"{name}: fifteen lines and the docstring"


def test_the_served_model_of_the_how_to_asks_its_server(room: Path) -> None:
    _unpack("add-a-model.md", "python", room)
    prompts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert base64.b64decode(asked["video"])[4:8] == b"ftyp"
            prompts.append(asked["prompt"])
            body = b'{"text": "B"}' if "letter" in asked["prompt"] else b'{"text": "ahead"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = ["doctor", "--model", "served.py:Served", "--option", f"base_url=http://127.0.0.1:{server.server_port}"]
        done = CliRunner().invoke(cli, words, standalone_mode=False)
        server.shutdown()
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * 5, done.stdout
    assert len(prompts) == 10


def test_the_worker_of_the_how_to_does_what_the_page_shows(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    codes = _unpack("workers.md", "python", room)
    assert list(codes) == ["flash.py"]
    assert len(codes["flash.py"].splitlines()) <= 30
    command = 'offbeat doctor --model "worker:python flash.py"'
    done = CliRunner().invoke(cli, shlex.split(command)[1:], standalone_mode=False)
    assert done.stdout.rstrip() == _shown("workers.md", command)


def test_the_question_of_the_how_to_is_asked_as_the_page_shows(room: Path) -> None:
    assert list(_unpack("questions.md", "toml", room)) == ["drums.toml"]
    done = CliRunner().invoke(cli, ["questions", "drums.toml"], standalone_mode=False)
    assert done.stdout.rstrip() == _shown("questions.md", "offbeat questions drums.toml")
