"""Uploads that take long to be ready: they are waited for, by whoever asks next, and not paid for again."""

import pytest
from builds import build, card_file, settings

from offbeat.errors import RateLimited, RequestRejected, TransientError
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.gemini import connection, uploads
from servers.gemini_wire import refused
from servers.stand_in import Fault, half_body, reset

UPLOADED = {"inline_limit_mb": 0}


def bytes_uploaded(server):
    return sum(len(r.body) for r in server.requests if "upload_id" in r.query)


@pytest.fixture
def in_vain(ask, monkeypatch):
    """Ask, with little patience for a file that is not ready, and all of it for a request."""

    def do():
        with monkeypatch.context() as patch:
            patch.setattr(connection, "Uploads", lambda rest, cache, **_: uploads.Uploads(rest, cache, deadline_s=0.2))
            with pytest.raises(TransientError, match=r"not ready after 0\.2 s"):
                ask(**UPLOADED)

    return do


@pytest.fixture
def stuck(in_vain, wire):
    """A file that is there, and not ready."""
    wire.new_states = ["PROCESSING"]
    in_vain()
    return wire.files["files/up1"]


def test_a_file_that_is_still_being_processed_is_not_sent_again(ask, in_vain, server, stuck, variants):
    in_vain()
    stuck.states = ["ACTIVE"]
    assert [ask(**UPLOADED).text for _ in range(2)] == ["behind"] * 2
    assert bytes_uploaded(server) == len(variants[2].mp4_bytes())


def test_nor_where_the_wait_is_cut_short(in_vain, server, stuck, variants):
    """Each attempt is another client, as in another process."""
    for fault in (reset(), half_body(), Fault(refused(503, "UNAVAILABLE", "x"))):
        server.queue(fault)
        in_vain()
    assert bytes_uploaded(server) == len(variants[2].mp4_bytes())


def test_who_asks_about_a_file_waits_as_the_server_says(ask, server, stuck, variants):
    stuck.states = ["ACTIVE"]
    asked = len(server.requests)
    server.queue(Fault(refused(429, "RESOURCE_EXHAUSTED", "slow down", retry_after="3600")))
    with pytest.raises(RateLimited) as raised:
        ask(**UPLOADED)
    assert raised.value.retry_after_s == 3600
    server.queue(Fault(refused(429, "RESOURCE_EXHAUSTED", "slow down", retry_after="1")))
    assert ask(**UPLOADED).text == "behind"
    _, first, second, _ = server.requests[asked:]
    assert second.at_s - first.at_s >= 1.0
    assert bytes_uploaded(server) == len(variants[2].mp4_bytes())


@pytest.mark.parametrize(
    "gone",
    [
        refused(403, "PERMISSION_DENIED", "You do not have permission to access the File up1 or it may not exist."),
        refused(404, "NOT_FOUND", "Requested entity was not found."),
    ],
)
def test_one_that_is_gone_is_sent_again_at_once(ask, server, wire, stuck, gone, variants):
    wire.new_states = ["ACTIVE"]
    server.queue(Fault(gone))
    assert ask(**UPLOADED).text == "behind"
    assert bytes_uploaded(server) == 2 * len(variants[2].mp4_bytes())
    assert ask(**UPLOADED).text == "behind"
    assert bytes_uploaded(server) == 2 * len(variants[2].mp4_bytes())


def test_one_that_fails_is_sent_again_when_it_is_asked_again(ask, server, wire, stuck, variants):
    stuck.states = ["FAILED"]
    with pytest.raises(RequestRejected, match="could not process"):
        ask(**UPLOADED)
    wire.new_states = ["ACTIVE"]
    assert ask(**UPLOADED).text == "behind"
    assert bytes_uploaded(server) == 2 * len(variants[2].mp4_bytes())


def test_one_that_is_stuck_is_not_waited_for_for_ever(ask, in_vain, server, wire, monkeypatch, variants):
    monkeypatch.setattr(uploads, "WAITED_FOR_S", 0.0)
    wire.new_states = ["PROCESSING"]
    in_vain()
    wire.new_states = ["ACTIVE"]
    assert ask(**UPLOADED).text == "behind"
    assert bytes_uploaded(server) == 2 * len(variants[2].mp4_bytes())


@pytest.mark.slow
def test_a_run_sends_each_clip_once(made, server, wire, tmp_path):
    """Each file is ready only after the time of the first attempt; the run asks again, and has its answers."""
    card_file(tmp_path / "videos" / "one.mkv", seed=1, length_s=6, size=128)
    dataset = build(tmp_path / "videos", tmp_path / "set", settings(lengths_s=(2,), delays_s=(-0.5, 0.5)))[1]
    wire.new_states = ["PROCESSING"] * 8 + ["ACTIVE"]
    terms = Terms(even_if_deaf=True, first_wait_s=0.01, unknown_price_ok=True)
    model = made(inline_limit_mb=0, timeout_s=1.0)
    assert run_models(dataset, [model], out=tmp_path / "run", terms=terms).complete
    assert all(file.asked >= 8 for file in wire.files.values())
    assert bytes_uploaded(server) == sum(len(file.data) for file in wire.files.values())
    assert len(wire.files) == len(set(wire.clips)), "a clip was sent twice"
