"""A service that stalls or drips, in each step of a batch: told in time, found again later, and handed over once."""

import pytest

from offbeat.errors import TransientError
from offbeat.models.gemini import bounds, submitting
from servers.stand_in import drip, stalled

SUCCEEDED = "BATCH_STATE_SUCCEEDED"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(bounds, "SLOWEST_BYTES_A_SECOND", 1e9)
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)


@pytest.fixture(params=[stalled, drip])
def breaks_at(request, server):
    """Lets the service misbehave at an address from now on."""

    def do(part):
        server.faults = lambda asked: request.param() if part in asked.target else None

    return do


@pytest.mark.parametrize("part", ["/files", "upload_id="])
def test_an_upload(breaks_at, submit, server, wire, noted, part):
    breaks_at(part)
    with pytest.raises(TransientError, match="no answer in time: ReadTimeout"):
        submit(timeout_s=0.1)
    assert (noted, wire.batches) == ([], {})
    server.faults = None
    submit()
    assert len(wire.batches["batches/b1"].results) == 3


def test_the_handing_over(breaks_at, submit, server, wire, noted, collect):
    breaks_at(":batchGenerateContent")
    with pytest.raises(TransientError, match="no answer in time: ReadTimeout") as raised:
        submit(timeout_s=0.1)
    assert raised.value.usage is None, "it may have been taken, and cost something"
    server.faults = None
    assert collect(noted[0]).state == "pending"
    assert len(wire.batches) == 1


@pytest.mark.parametrize("part", ["/batches/b1", "/batches?", ":download"])
def test_the_collection(breaks_at, submit, server, wire, noted, collect, part):
    job = submit()
    wire.batches["batches/b1"].state = SUCCEEDED
    breaks_at(part)
    with pytest.raises(TransientError, match=r"in time: ReadTimeout|not found in the list"):
        collect(noted[0] if "?" in part else job, timeout_s=0.1)
    server.faults = None
    assert len(collect(job).replies) == 3
