"""What the tests of verifying and of measuring again share: two sources that serve, a dataset of them, and a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from builds import build
from verifying import CHOSEN, write_cards


@pytest.fixture(scope="session")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sources; not to be changed."""
    return write_cards(tmp_path_factory.mktemp("cards"))


@pytest.fixture(scope="session")
def made(cards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of them; not to be changed."""
    out = tmp_path_factory.mktemp("made") / "set"
    build(cards, out, CHOSEN)
    return out


@pytest.fixture
def dataset(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "set"))
