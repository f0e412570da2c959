"""A small part of `make fuzz`."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz import FILMS, KINDS, WRONG, run, table


@pytest.mark.slow
def test_damaged_files_are_refused_or_right(tmp_path: Path) -> None:
    results = run(tmp_path, share=0.05, seed=7)
    assert len(results) >= 90
    wrong = [(damage, what) for damage, what in results if what in WRONG or what.startswith("lost: ")]
    assert not wrong
    assert any(what == "whole" for _, what in results)
    assert any(what.startswith("refused") for _, what in results)
    assert len([line for line in table(results).splitlines() if line.startswith("| ")]) == len(FILMS) * len(KINDS) + 2
