"""What all tests share."""

from pathlib import Path

import pytest

SHARED_MEDIA = Path(__file__).resolve().parents[2] / "shared" / "media"


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """Real clips, never part of the project; a test that needs them skips where they are absent."""
    if not (SHARED_MEDIA / "media.jsonl").is_file():
        pytest.skip(f"real clips are not at {SHARED_MEDIA}")
    return SHARED_MEDIA
