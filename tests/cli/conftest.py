"""What the tests of commands share."""

import sys

import pytest

from offbeat.cli import main


@pytest.fixture
def offbeat(monkeypatch, capsys, tmp_path):
    """Calls the command line in the test's folder; returns its exit code, output and messages."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["offbeat", *words])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return call
