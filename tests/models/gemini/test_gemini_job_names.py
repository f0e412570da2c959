"""A batch whose answer was lost is found by a name of ours, and given up only when it cannot come any more."""

import pytest

from offbeat.errors import ModelError, RequestRejected, TransientError
from offbeat.models.gemini import jobs
from servers.stand_in import Fault, half_body, html, reset, say, status

SUCCEEDED = "BATCH_STATE_SUCCEEDED"


@pytest.mark.parametrize("lost", [half_body(), html(), status(504)])
def test_a_batch_that_was_taken_though_the_answer_was_lost(submit, noted, server, wire, collect, lost):
    def lose(request):
        if not request.path.endswith(":batchGenerateContent"):
            return None
        if lost.cut != "half":  # else the server asks the wire itself
            wire(request)
        return lost

    server.faults = lose
    with pytest.raises(TransientError) as raised:
        submit()
    assert raised.value.usage is None
    server.faults = None
    assert collect(noted[0]).state == "pending"
    wire.batches["batches/b1"].state = SUCCEEDED
    assert len(collect(noted[0]).replies) == 3


def test_a_batch_is_found_by_our_name_among_many(submit, noted, wire, collect):
    for _ in range(5):
        submit()
    wire.page = 2
    wire.batches["batches/b1"].state = SUCCEEDED
    assert collect(noted[0]).note == "succeeded"
    assert collect(noted[4]).note == "pending"


def test_a_batch_that_was_never_taken_is_given_up_in_time(submit, noted, server, wire, collect, monkeypatch):
    """What is not listed yet may be on its way: handed over anew at once, it would be paid for twice."""
    late = []

    def keep_for_later(request):
        if not request.path.endswith(":batchGenerateContent"):
            return None
        late.append(request)
        return reset()

    server.faults = keep_for_later
    with pytest.raises(TransientError):
        submit()
    with pytest.raises(TransientError, match="in 30 min it is given up"):
        collect(noted[0])
    wire(late[0])
    assert collect(noted[0]).state == "pending"
    wire.batches.clear()
    monkeypatch.setattr(jobs, "SETTLED_S", 0)
    with pytest.raises(RequestRejected, match="never taken"):
        collect(noted[0])
    server.queue(status(503))
    with pytest.raises(TransientError):
        collect(noted[0])


def test_a_name_of_before_is_given_up_at_once(submit, noted, collect, wire):
    submit()
    wire.batches.clear()
    _, _, rest_of_it = noted[0].rpartition("-")
    with pytest.raises(RequestRejected, match="never taken"):
        collect(f"offbeat-{rest_of_it}")


def test_a_list_without_end_is_not_gone_through_for_ever(submit, noted, server, wire, collect, monkeypatch):
    submit()
    wire.batches.clear()
    page = {"operations": [{"name": "batches/other", "metadata": {"displayName": "x"}}], "nextPageToken": "more"}
    server.faults = lambda request: Fault(say(page), wait_s=0.02) if request.path.endswith("/batches") else None
    with pytest.raises(TransientError, match=r"not found in the list of batches within 0\.2 s|in time"):
        collect(noted[0], timeout_s=0.2)
    monkeypatch.setattr(jobs, "_MOST_PAGES", 2)
    with pytest.raises(ModelError, match="not on the first 2 pages") as raised:
        collect(noted[0])
    assert type(raised.value) is ModelError, "it may have cost something"
