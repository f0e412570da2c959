"""What all tests share."""

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples each time, and no bound on time: a loaded machine makes no test fail.
settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

# A shell starts what runs in its background with Ctrl-C ignored, and whatever is started from there as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED_MEDIA = Path(__file__).resolve().parents[2] / "shared" / "media"


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """Real clips, never part of the project; a test that needs them skips where they are absent."""
    if not (SHARED_MEDIA / "media.jsonl").is_file():
        pytest.skip(f"real clips are not at {SHARED_MEDIA}")
    return SHARED_MEDIA
