from __future__ import annotations

import importlib.metadata
import json

import pytest
from click.testing import CliRunner

from offbeat.cli import doctor as module
from offbeat.cli.doctor import doctor


def test_all_that_is_needed_is_here() -> None:
    result = CliRunner().invoke(doctor, ["--json"], standalone_mode=False)
    findings = {finding["what"]: finding for finding in json.loads(result.stdout)}
    assert result.return_value == 0
    assert all(finding["ok"] for finding in findings.values())
    assert findings["av"]["found"] == importlib.metadata.version("av")
    assert "[-500.0, 500.0] ms read back" in findings["round trip"]["found"]
    assert "qwen" in findings["extra qwen"]["what"]


def test_what_is_missing_is_said_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIBRARIES", ("av", "no-such-library"))
    monkeypatch.setattr(module, "NEEDED_CODECS", {"no_such_codec": "a codec that nobody has"})
    result = CliRunner().invoke(doctor, [], standalone_mode=False)
    assert result.return_value == 1
    assert "MISSING no-such-library" in result.stdout
    assert "pip install --force-reinstall --only-binary av av" in result.stdout
