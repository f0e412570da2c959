"""A worker may do what it likes: what it costs is a reply, never the run, never an orphan."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError
from offbeat.models.base import Prompt, Reply
from offbeat.models.registry import make_model

TINY = Path(__file__).with_name("tiny_worker.py")
PROMPT = Prompt("Which?", ("sync", "ahead", "behind"))


def tiny(*words, **options):
    return make_model(f"worker:{shlex.join(map(str, [sys.executable, TINY, *words]))}", options=options)


def asked(path, what="ask"):
    lines = [shlex.split(line) for line in Path(path).read_text().splitlines()] if Path(path).exists() else []
    return [line for line in lines if line[1] == what]


def gone(pid, *, within_s=10.0):
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def plain(variants):
    """What the tiny worker says when nothing goes wrong."""
    return [reply.text for reply in tiny().replies(variants, [PROMPT] * 3)]


@pytest.mark.parametrize(
    ("mischief", "told"),
    [
        ("die@2", r"ended with exit code 3; its last words: out of luck"),
        ("hang@2", r"said nothing within 1 s"),
        ("rubbish@2", r"wrote '\{ this is no JSON'"),
        ("half@2", r"ended with exit code 0"),
        ("huge@2", r"wrote a line of more than 4 MiB"),
        ("wrong-id@2", r"replied to 9; open was 2"),
        ("unknown-field@2", r"probability: Extra inputs are not permitted"),
    ],
)
def test_a_lost_worker_is_told_of_and_replaced(mischief, told, variants, plain):
    model = tiny(f"do={mischief}", timeout_s=1)
    assert model.reply(variants[0], PROMPT).text == plain[0]
    with pytest.raises(TransientError, match=told):
        model.reply(variants[1], PROMPT)
    assert model.reply(variants[2], PROMPT).text == plain[2]


@pytest.mark.parametrize("together", ["", "together"])
@pytest.mark.parametrize("mischief", ["die@2", "half@1", "wrong-id@3"])
def test_what_had_no_reply_is_asked_once_more(together, mischief, variants, plain, tmp_path):
    model = tiny(together, f"log={tmp_path / 'log'}", f"do={mischief}", f"once={tmp_path / 'once'}")
    said = model.replies(variants, [PROMPT] * 3)
    assert [reply.text for reply in said] == plain
    assert len(asked(tmp_path / "log", "hello")) == 2
    assert len(asked(tmp_path / "log")) == 4, "one of them twice"


@pytest.mark.parametrize("together", ["", "together"])
def test_a_variant_that_no_worker_survives_costs_no_other(together, variants, plain):
    model = tiny(together, "do=die-on", "variant=v1")
    said = model.replies(variants, [PROMPT] * 3)
    assert [reply.text for reply in (said[0], said[2])] == [plain[0], plain[2]]
    assert type(said[1]) is ModelError, "one that would pass is asked again and again"
    assert "exit code 4" in str(said[1])


def test_a_worker_that_always_dies_is_given_up(variants, tmp_path):
    said = tiny("do=die", f"log={tmp_path / 'log'}").replies(variants, [PROMPT] * 3)
    assert [type(error) for error in said] == [ModelError] * 3
    assert len(asked(tmp_path / "log")) == 3


@pytest.mark.parametrize(
    ("kind", "error", "asks"),
    [
        ("rate", RateLimited, 2),
        ("transient", TransientError, 2),
        ("rejected", RequestRejected, 2),
        ("unavailable", ModelUnavailable, 1),
        ("error", ModelError, 2),
    ],
)
def test_errors_that_a_worker_tells(kind, error, asks, variants, tmp_path):
    model = tiny(f"do=error-{kind}", f"log={tmp_path / 'log'}")
    said = model.replies(variants[:2], [PROMPT] * 2)
    assert [type(one) for one in said] == [error] * 2
    assert "no luck" in str(said[0])
    assert len(asked(tmp_path / "log")) == asks
    assert len(asked(tmp_path / "log", "hello")) == 1, "a worker that tells of an error goes on"


def test_chatter_of_libraries_is_no_fault(variants, plain, caplog):
    caplog.set_level("INFO")
    assert [reply.text for reply in tiny("do=chatter").replies(variants, [PROMPT] * 3)] == plain
    assert "Loading checkpoint shards" in caplog.text


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("start=exit", r"ended at its start with exit code 1; .*No module named 'tinymodel'"),
        ("start=silent", r"ended at its start with exit code 0"),
        ("start=hang", r"said no hello at its start"),
        ("protocol=2", r"speaks protocol 2; this Offbeat speaks 1"),
    ],
)
def test_a_worker_that_does_not_start_is_unavailable(word, told):
    with pytest.raises(ModelUnavailable, match=told):
        tiny(word, start_s=0.3 if word == "start=hang" else 60)


def test_a_program_that_is_not_there():
    with pytest.raises(ModelUnavailable, match="cannot be split"):
        make_model(f"worker:{sys.executable} 'unbalanced")
    with pytest.raises(ModelUnavailable, match="no program 'no-such-program'"):
        make_model("worker:no-such-program --fast")
    with pytest.raises(ModelUnavailable, match="needs a command"):
        make_model("worker:")


def test_a_worker_that_comes_back_as_another_one_is_not_asked(variants, tmp_path):
    model = tiny(f"revisions={tmp_path / 'n'}", "do=die")
    with pytest.raises(ModelUnavailable, match="says it is tiny 2; before it was tiny 1"):
        model.replies(variants, [PROMPT] * 3)


def test_a_worker_cannot_harm_the_dataset(variants, plain):
    before = [variant.path.read_bytes() for variant in variants]
    tiny("do=shred").replies(variants, [PROMPT] * 3)
    assert [variant.path.read_bytes() for variant in variants] == before


def test_memory_of_a_worker_is_bounded(variants):
    with pytest.raises(TransientError, match="MemoryError"):
        tiny("do=memory", memory_gb=0.5).reply(variants[0], PROMPT)
    assert isinstance(tiny("do=memory").reply(variants[0], PROMPT), Reply)


def test_only_what_is_named_is_in_its_environment(variants, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "a-secret-token")
    monkeypatch.setenv("DATABASE_URL", "postgres://me:secret@host")
    monkeypatch.setenv("HF_HUB_TOKEN", "another-secret")
    monkeypatch.setenv("NAMED_KEY", "meant-to-be-there")
    tiny(f"log={tmp_path / 'log'}", env="NAMED_KEY", devices="3", device_env="TINY_DEVICES")
    (line,) = asked(tmp_path / "log", "hello")
    found = dict(word.split("=", 1) for word in line[2:] if "=" in word)
    assert found["NAMED_KEY"] == "meant-to-be-there"
    assert found["TINY_DEVICES"] == "3"
    assert {"PATH"} <= set(found)
    assert not {"HF_TOKEN", "DATABASE_URL", "HF_HUB_TOKEN"} & set(found)
    with pytest.raises(ModelUnavailable, match="env=NOT_THERE: not set"):
        tiny(env="NOT_THERE")


@pytest.mark.parametrize(
    "options", [{"workers": 0}, {"workers": "two"}, {"workers": True}, {"timeout_s": 0}, {"devices": [1.5]}]
)
def test_options_that_cannot_be(options):
    with pytest.raises(ModelUnavailable, match=rf"{next(iter(options))}="):
        tiny(**options)


PARENT = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from offbeat.models.base import Prompt
from offbeat.models.registry import make_model
from offbeat.models.worker.protocol import line_of
model = make_model({spec!r}, options={{}})
print(model._running[0].scratch, flush=True)
process = model._running[0]
process._lines.send(line_of({{"type": "ask", "id": 1, "clip": {{"clip_id": "c", "variant_id": "v"}},
                              "file": "", "prompt": {{"words": ["a"]}}}}), deadline_s=time.monotonic() + 5)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_we_are_killed(how, tmp_path):
    log = tmp_path / "log"
    words = [sys.executable, str(TINY), f"log={log}", "do=hang-with-child"]
    code = PARENT.format(tests=str(TINY.parent), spec=f"worker:{shlex.join(words)}")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        scratch = Path(parent.stdout.readline().strip())
        assert scratch.is_dir()
        end = time.monotonic() + 20
        while not asked(log, "child") and time.monotonic() < end:
            time.sleep(0.02)
        parent.send_signal(how)
    (child,) = asked(log, "child")
    assert gone(int(child[0])), "the worker"
    assert gone(int(child[2])), "what it started"
    while scratch.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not scratch.exists()


def test_what_a_worker_has_started_ends_with_it(variants, tmp_path):
    with pytest.raises(TransientError, match="exit code 5"):
        tiny("do=die-with-child", f"log={tmp_path / 'log'}", start_s=15, timeout_s=5).reply(variants[0], PROMPT)
    (child,) = asked(tmp_path / "log", "child")
    assert gone(int(child[2]))


def test_a_killed_guard_takes_the_worker_with_it(variants, tmp_path):
    model = tiny(f"log={tmp_path / 'log'}")
    process = model._running[0]
    (hello,) = asked(tmp_path / "log", "hello")
    os.kill(process._process.pid, signal.SIGKILL)
    assert gone(int(hello[0]))
    with pytest.raises(TransientError, match=r"the worker was ended by SIGKILL|the worker closed"):
        model.reply(variants[0], PROMPT)
    assert isinstance(model.reply(variants[0], PROMPT), Reply)
