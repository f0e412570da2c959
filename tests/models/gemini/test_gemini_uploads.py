"""Clips that are uploaded: the protocol, the wait, the cache that outlives a run, and files that are gone."""

import asyncio
import hashlib
import json
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from offbeat.errors import ModelUnavailable, RateLimited, RequestRejected, TransientError
from offbeat.models.gemini.cache import FILE, Upload, UploadCache, scope_of
from servers.gemini_wire import KEY, MODEL, GeminiWire, refused
from servers.stand_in import Fault, Request, Response, StandIn, closed, half_body, hang, html, say, status

UPLOADED = {"inline_limit_mb": 0}
GONE = Fault(
    refused(403, "PERMISSION_DENIED", "You do not have permission to access the File up1 or it may not exist.")
)


def uploads_in(server):
    return [r for r in server.requests if r.path.startswith("/upload/") and "upload_id" not in r.query]


def post_of(server, announced):
    """The start of an upload, as the server was sent it."""
    headers = {
        "x-goog-api-key": KEY,
        "host": f"127.0.0.1:{server.port}",
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-length": str(announced),
        "x-goog-upload-header-content-type": "video/mp4",
    }
    body = json.dumps({"file": {"sizeBytes": str(announced), "mimeType": "video/mp4"}}).encode()
    return Request(0, "POST", "/upload/v1beta/files", headers, body, 0.0)


def calls_in(server):
    return [r for r in server.requests if r.path.endswith(":generateContent")]


def kept(tmp_path):
    with sqlite3.connect(tmp_path / "cache" / "offbeat" / FILE) as connection:
        rows = connection.execute("SELECT * FROM upload").fetchall()
    connection.close()
    return rows


def test_a_clip_above_the_limit_is_uploaded_and_referred_to(ask, server, wire, variants):
    reply = ask(**UPLOADED)
    assert (reply.text, reply.details["sent"]) == ("behind", "upload")
    assert wire.clips == [variants[2].mp4_bytes()]
    video = calls_in(server)[0].json()["contents"][0]["parts"][0]
    assert "inlineData" not in video
    assert video["videoMetadata"] == {"fps": 8.0}
    (file,) = wire.files.values()
    assert (file.mime_type, file.data) == ("video/mp4", variants[2].mp4_bytes())


def test_the_limit_decides(ask, server, variants):
    megabytes = len(variants[2].mp4_bytes()) / 1e6
    assert ask(inline_limit_mb=megabytes).details["sent"] == "inline"
    assert ask(inline_limit_mb=megabytes - 1e-6).details["sent"] == "upload"


def test_a_large_upload_is_sent_in_one_piece(made, server, wire):
    data = b"\0\0\0\x18ftypisom" + bytes(9_000_000)

    async def once():
        model = made()
        uploads = model._open().uploads
        upload = await uploads.upload(data, "video/mp4")
        await model.close()
        return upload

    assert asyncio.run(once()).name == "files/up1"
    assert hashlib.sha256(wire.files["files/up1"].data).digest() == hashlib.sha256(data).digest()
    assert len(server.requests) == 2


@pytest.mark.parametrize("states", [["PROCESSING"] * 2, ["STATE_UNSPECIFIED", "SOMETHING_NEW"]])
def test_waits_until_it_is_ready(ask, server, wire, states):
    wire.new_states = [*states, "ACTIVE"]
    assert ask(**UPLOADED).text == "behind"
    assert sum(r.method == "GET" for r in server.requests) == 2


@pytest.mark.parametrize("given", [status(503), status(429), half_body(), html(), closed()])
def test_a_question_about_a_file_that_fails_is_put_again(ask, server, wire, given):
    wire.new_states = ["PROCESSING", "PROCESSING", "ACTIVE"]
    server.queue(None, None, given)
    assert ask(**UPLOADED).text == "behind"
    assert len(uploads_in(server)) == 1


def test_a_file_that_is_gone_before_it_is_ready_may_be_sent_again(ask, server, wire):
    wire.new_states = ["PROCESSING"]
    server.queue(None, None, GONE)
    with pytest.raises(TransientError, match="gone before it was ready"):
        ask(**UPLOADED)


def test_a_file_that_is_never_ready(ask, server, wire, tmp_path):
    wire.new_states = ["PROCESSING"]
    with pytest.raises(TransientError, match=r"not ready after 0\.5 s") as raised:
        ask(**UPLOADED, timeout_s=0.5)
    assert raised.value.usage == {}
    assert calls_in(server) == []


def test_a_file_that_cannot_be_processed(ask, server, wire):
    wire.new_states = ["PROCESSING", "FAILED"]
    with pytest.raises(RequestRejected, match="could not process the file: no video stream"):
        ask(**UPLOADED)
    assert calls_in(server) == []


def test_the_cache_outlives_the_run(ask, server, tmp_path, variants):
    ask(**UPLOADED)
    ask(**UPLOADED)
    assert (len(uploads_in(server)), len(calls_in(server))) == (1, 2)
    ask(**UPLOADED, variant=variants[0])
    assert len(uploads_in(server)) == 2
    (scope, sha256, name, uri, expires_at), _ = kept(tmp_path)
    assert scope == scope_of(server.url, KEY)
    assert sha256 == hashlib.sha256(variants[2].mp4_bytes()).hexdigest()
    assert (name, uri.rpartition("/")[2]) == ("files/up1", "up1")
    assert 45 * 3600 < expires_at - time.time() < 47 * 3600


def test_many_questions_about_one_clip_upload_it_once(made, server, variants, prompt):
    async def many():
        model = made(**UPLOADED)
        replies = await asyncio.gather(*(model.reply(variants[0], prompt) for _ in range(6)))
        await model.close()
        return replies

    assert [reply.text for reply in asyncio.run(many())] == ["behind"] * 6
    assert (len(uploads_in(server)), len(calls_in(server))) == (1, 6)


def test_another_key_does_not_see_it(tmp_path):
    mine = UploadCache(tmp_path, scope_of("https://x", "key-one"))
    mine.keep("abc", Upload("files/1", "https://x/files/1", time.time() + 1000))
    assert mine.find("abc", good_for_s=0).name == "files/1"
    assert UploadCache(tmp_path, scope_of("https://x", "key-two")).find("abc", good_for_s=0) is None
    assert UploadCache(tmp_path, scope_of("https://y", "key-one")).find("abc", good_for_s=0) is None


def test_an_upload_is_found_only_while_it_lasts_long_enough(tmp_path):
    cache = UploadCache(tmp_path, "s")
    cache.keep("abc", Upload("files/1", "u1", time.time() + 100))
    assert cache.find("abc", good_for_s=50) is not None
    assert cache.find("abc", good_for_s=150) is None
    cache.keep("old", Upload("files/2", "u2", time.time() - 1))
    assert cache.find("old", good_for_s=0) is None
    cache.keep("abc", Upload("files/3", "u3", time.time() + 500))
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert connection.execute("SELECT name FROM upload").fetchall() == [("files/3",)]
    connection.close()


def test_only_the_upload_that_is_meant_is_forgotten(tmp_path):
    cache = UploadCache(tmp_path, "s")
    cache.keep("abc", Upload("files/2", "new", time.time() + 100))
    cache.forget("abc", "old")
    assert cache.find("abc", good_for_s=0) is not None
    cache.forget("abc", "new")
    assert cache.find("abc", good_for_s=0) is None


@pytest.mark.slow
def test_two_processes_at_once(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from offbeat.models.gemini.cache import *\n"
        "cache = UploadCache(Path(sys.argv[1]), 's')\n"
        "for n in range(40): cache.keep(f'{sys.argv[2]}-{n}', Upload('f', 'u', time.time() + 1000))\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in ("a", "b")]
    assert [child.wait(60) for child in children] == [0, 0]
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert connection.execute("SELECT count(*) FROM upload").fetchone() == (80,)
    connection.close()


def test_a_cache_that_is_broken_is_done_without_and_said_once(tmp_path, caplog):
    (tmp_path / FILE).write_bytes(b"this is no database, and long enough to be taken for one" * 20)
    cache = UploadCache(tmp_path, "s")
    cache.keep("abc", Upload("files/1", "u", time.time() + 100))
    assert cache.find("abc", good_for_s=0) is None
    assert caplog.text.count("uploaded again in every run") == 1


def test_a_user_without_a_home(ask, monkeypatch, caplog):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as where neither HOME nor /etc/passwd tells
    assert ask().text == "behind"
    assert caplog.text == ""
    assert ask(**UPLOADED).text == "behind"
    assert "set XDG_CACHE_HOME" in caplog.text


@pytest.mark.parametrize(
    "lost",
    [
        GONE,
        Fault(refused(404, "NOT_FOUND", "File not found: up1")),
        Fault(refused(400, "FAILED_PRECONDITION", "The File up1 is not in an ACTIVE state and usage is not allowed.")),
    ],
)
def test_a_file_that_is_gone_is_uploaded_once_more(ask, server, tmp_path, lost):
    ask(**UPLOADED)
    server.queue(lost)
    assert ask(**UPLOADED).text == "behind"
    assert len(uploads_in(server)) == 2
    assert [row[2] for row in kept(tmp_path)] == ["files/up2"]


def test_a_file_that_has_expired_at_the_server(ask, server, wire):
    ask(**UPLOADED)
    wire.files["files/up1"].gone = True
    assert ask(**UPLOADED).text == "behind"
    assert (len(uploads_in(server)), len(calls_in(server))) == (2, 3)


def test_files_that_keep_vanishing(ask, server, wire):
    server.faults = lambda request: GONE if request.path.endswith(":generateContent") else None
    with pytest.raises(ModelUnavailable, match="uploaded twice: check billing"):
        ask(**UPLOADED)
    assert (len(uploads_in(server)), len(calls_in(server))) == (2, 2)


def test_another_error_does_not_upload_again(ask, server):
    server.queue(None, None, Fault(refused(500, "INTERNAL", "of a file, perhaps")))
    with pytest.raises(TransientError):
        ask(**UPLOADED)
    assert len(uploads_in(server)) == 1


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (Fault(refused(503, "UNAVAILABLE", "x")), TransientError),
        (Fault(refused(400, "INVALID_ARGUMENT", "x")), RequestRejected),
        (half_body(), TransientError),
        (html(), TransientError),
    ],
)
def test_an_upload_that_does_not_begin(ask, server, given, kind, tmp_path):
    server.queue(given)
    with pytest.raises(kind, match=f"gemini:{MODEL}: an upload: ") as raised:
        ask(**UPLOADED)
    assert raised.value.usage == {}
    assert calls_in(server) == []
    assert ask(**UPLOADED).text == "behind"


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        (status(503), TransientError, "says 503"),
        (status(429), RateLimited, "says 429"),
        (status(400), RequestRejected, "says 400"),
        (Fault(Response(308, b"", {})), RequestRejected, "says 308"),
        # with status 200: googleapis/python-genai#1547
        (
            Fault(say({"error": {"code": 400, "message": "Unsupported MIME type: x", "status": "INVALID_ARGUMENT"}})),
            RequestRejected,
            "Unsupported MIME type",
        ),
        (Fault(say({})), TransientError, "no address"),
        (html(), TransientError, "expected a JSON object, got '<!doctype"),
        (closed(), TransientError, "connection broke"),
    ],
)
def test_an_upload_that_does_not_end_well(ask, server, given, kind, words):
    server.queue(None, given)
    with pytest.raises(kind, match=words) as raised:
        ask(**UPLOADED)
    assert str(raised.value).startswith(f"gemini:{MODEL}: an upload: ")
    assert raised.value.usage == {}
    assert len(server.requests) == 2, "the piece was sent again"


@pytest.mark.parametrize("code", [403, 404])
def test_where_nothing_can_be_uploaded_the_way_out_is_named(ask, server, code):
    server.queue(Fault(refused(code, "", "no files here")))
    with pytest.raises(ModelUnavailable, match=f"says {code} .*--option inline_limit_mb"):
        ask(**UPLOADED)


def test_a_clip_is_uploaded_to_no_other_place(ask, server, wire):
    """A gateway hands on the address that the service behind it gave."""
    with StandIn(GeminiWire()) as elsewhere:
        begun = wire(post_of(server, 100))
        address = begun.headers["x-goog-upload-url"].replace(str(server.port), str(elsewhere.port))
        server.queue(Fault(replace(begun, headers={**begun.headers, "x-goog-upload-url": address})))
        with pytest.raises(RequestRejected, match="100 bytes were announced"):
            ask(**UPLOADED)
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("told", "hours"), [("2099-01-01T00:00:00Z", 46), ("soon", 46), (None, 46), ("in 10 hours", 8), ("gone", -12)]
)
def test_how_long_an_upload_is_used(ask, server, wire, tmp_path, told, hours):
    at = {"in 10 hours": 10, "gone": -10}.get(told)
    wire.expires = told if at is None else (datetime.now(UTC) + timedelta(hours=at)).isoformat()
    ask(**UPLOADED)
    assert kept(tmp_path)[0][4] - time.time() == pytest.approx(hours * 3600, abs=60)


def test_an_upload_that_hangs(ask, server):
    server.queue(None, hang())
    with pytest.raises(TransientError, match="no answer in time"):
        ask(**UPLOADED, timeout_s=0.5)
