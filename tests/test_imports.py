"""Imports run one way, and the door opens without heavy furniture."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import offbeat

SOURCE = Path(offbeat.__file__).parent
EVERYBODYS = {"timing", "errors", "files", "fourier"}
MAY_IMPORT = {
    "timing": set(),
    "errors": set(),
    "fourier": set(),
    "files": {"errors"},
    "media": EVERYBODYS,
    "signal": {"timing", "errors", "fourier", "media.values"},
    "conditions": EVERYBODYS,
    "dataset": EVERYBODYS | {"media", "conditions", "signal"},
    "models": EVERYBODYS | {"media", "signal", "dataset"},
    "evaluation": EVERYBODYS | {"models", "dataset"},
    "analysis": {"timing"},
    "report": EVERYBODYS | {"analysis", "evaluation", "dataset"},
}
ROOMS = {"media", "signal", "conditions", "dataset", "models", "evaluation", "analysis", "report"}
MAY_IMPORT["demo"] = EVERYBODYS | ROOMS
MAY_IMPORT["cli"] = EVERYBODYS | ROOMS | {"demo"}
MAY_IMPORT["__main__"] = {"cli"}
MODULES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_run_one_way(path: Path) -> None:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    room = parts[0]
    if room == "__init__":
        return
    for name in _imported(path):
        wanted = name.removeprefix("offbeat").lstrip(".")
        if not wanted or wanted.split(".")[0] == room:
            continue
        allowed = MAY_IMPORT[room]
        assert any(wanted == one or wanted.startswith(f"{one}.") for one in allowed), (
            f"offbeat.{'.'.join(parts)} imports {name}; {room} may import {sorted(allowed)}"
        )


def _imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names if alias.name.split(".")[0] == "offbeat"]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "offbeat":
            names.append(node.module)
    return names


@pytest.mark.parametrize("command", ["import offbeat", "import offbeat.cli; offbeat.cli.cli(['--help'])"])
def test_the_door_opens_without_heavy_furniture(command: str) -> None:
    code = (
        "import sys\n"
        "try:\n"
        f"    exec({command!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "heavy = {'torch', 'ray', 'av', 'altair', 'scipy', 'numpy', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_file_is_a_giant() -> None:
    tests = Path(__file__).parent
    long = [
        f"{path}: {n}" for path in [*MODULES, *tests.rglob("*.py")] if (n := len(path.read_text().splitlines())) > 400
    ]
    assert not long
