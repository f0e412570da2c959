"""A disk that is full, or must not be written to, is told in one line."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from builds import card_file

import offbeat.cli

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_build_on_a_full_disk_names_the_file_and_goes_on_later(tmp_path: Path) -> None:
    card_file(tmp_path / "videos" / "one.mp4", length_s=3)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / ".dataset.json.part").symlink_to(FULL)
    command = [sys.executable, "-m", "offbeat", "build", "videos", "--out", "set"]
    command += ["--lengths", "1", "--delays", "-0.5,0,0.5", "--jobs", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    told = "offbeat: set/dataset.json: No space left on device; make room, or choose another folder, and give"
    assert done.stderr.splitlines()[-1].startswith(told)
    assert "Traceback" not in done.stderr
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False).returncode == 0


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a.mp4", None, "b.mp4"), "b.mp4: No space left on device; m"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "file:/x/y"), "/x/y: Read-only file system; choose another"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), b"z"), "z: Permission denied; choose another folder"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), f"{os.strerror(errno.EDQUOT)}; make room"),
    ],
    ids=["a copy", "of a codec", "not allowed", "no name"],
)
def test_it_says_where_and_what_to_do(
    fault: OSError, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _failing_with(fault, monkeypatch)
    with pytest.raises(SystemExit) as ended:
        offbeat.cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"offbeat: {told}")


def test_another_fault_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    _failing_with(OSError(errno.ELOOP, os.strerror(errno.ELOOP), "x"), monkeypatch)
    with pytest.raises(OSError, match="symbolic links"):
        offbeat.cli.main()


def _failing_with(fault: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise fault

    monkeypatch.setattr(offbeat.cli.cli, "main", fails)
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # `main` puts its own in place of it
