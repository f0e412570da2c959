"""What the tests in a browser share."""

PATIENCE_MS = 30_000
STEP_MS = 20


def becomes(page, read, wanted):
    """Assert that `read()` comes to give `wanted`: a page answers events in its own time."""
    for _ in range(PATIENCE_MS // STEP_MS):
        if read() == wanted:
            return
        page.wait_for_timeout(STEP_MS)
    assert read() == wanted
