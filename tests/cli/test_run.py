"""The command: what it prints where, and what its exit code says."""

import json
import os
import pty
import subprocess
import sys

import pytest

from fake_dataset import write_dataset
from offbeat.cli.outcomes import failure_lines
from offbeat.cli.table import one_line, text_table
from offbeat.evaluation.failures import Failure
from offbeat.evaluation.run_folder import open_run


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "set")


def test_a_whole_run_and_again(dataset, offbeat, tmp_path):
    code, out, err = offbeat("run", "set", "--model", "random", "--model", "always:sync", "--out", "run")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["model", "wanted", "ok", "unsure", "unparsed", "refused", "truncated", "error", "missing"],
        ["random", *["50", "50", "0", "0", "0", "0", "0", "0"]],
        ["always:sync", *["50", "50", "0", "0", "0", "0", "0", "0"]],
    ]
    assert err.startswith("asking: 100 of 100")
    code, _, err = offbeat("run", "set", "--model", "random", "--out", "run")
    assert code == 0
    assert err.startswith("asking: 0 of 0")
    assert len(open_run(tmp_path / "run").answers) == 100


def test_as_json(dataset, offbeat):
    code, out, _ = offbeat("run", "set", "--model", "oracle", "--out", "run", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["complete"] is True
    assert told["models"][0]["outcomes"]["ok"] == 50


SHARED = ("run", "complete", "spent_usd", "spent_by_model", "unpriced")


@pytest.mark.parametrize(
    ("bounds", "stopped"), [((), None), (("--max-cost", "0.0002"), "$0.0002 are spent or set aside, and the next call")]
)
def test_run_and_status_tell_a_program_and_people_the_same(dataset, own_model, offbeat, bounds, stopped):
    words = ("run", "set", "--model", own_model, "--prices", "prices.toml", *bounds, "--out", "run", "--json")
    run = json.loads(offbeat(*words)[1])
    status = json.loads(offbeat("status", "run", "--json")[1])
    (model,) = status["models"]
    assert model["questions"] == run["models"]
    assert {key: status[key] for key in SHARED} == {key: run[key] for key in SHARED}
    assert list(status["spent_by_model"]) == ["priced"]
    assert (model["questions"][0]["stopped"] or "").startswith(stopped or "")
    assert (f"priced: stopped: {stopped}" in offbeat("status", "run")[1]) is bool(stopped)


def test_what_is_not_answered_shows_in_the_exit_code(dataset, offbeat, tmp_path):
    (tmp_path / "some.csv").write_text("variant_id,text\nv000000,ahead\n")
    code, out, err = offbeat("run", "set", "--model", "replay:some.csv", "--out", "run")
    assert code == 1
    assert out.splitlines()[1].split() == ["replay:some.csv", *["50", "1", "0", "0", "0", "0", "49", "0"]]
    assert err.count("no reply recorded") == 1
    assert "replay:some.csv: 49 x some.csv: no reply recorded for variant v0000" in err
    assert "the same command asks what is open" in err


def test_filters_and_limit(dataset, offbeat, tmp_path):
    words = ("run", "set", "--model", "random", "--out", "run", "--json")
    told = json.loads(offbeat(*words, "--lengths", "3", "--genre", "speech", "--genre", "asmr")[1])
    assert told["models"][0]["expected"] == 10
    told = json.loads(offbeat(*words, "--length", "3", "--length", "10", "--limit", "7", "--seed", "5")[1])
    assert told["models"][0]["expected"] == 7
    assert open_run(tmp_path / "run").settings["models"]["random"]["lengths"] == ["3", "10"]


def test_dry_run_asks_nothing(dataset, offbeat, tmp_path):
    code, out, _ = offbeat("run", "set", "--model", "random", "--out", "run", "--dry-run")
    assert code == 0
    assert out.splitlines()[1].split() == ["random", "study", "50", "0", "50", "0", "-", "-", "free"]
    assert not (tmp_path / "run").exists()
    offbeat("run", "set", "--model", "random", "--out", "run", "--limit", "20")
    told = json.loads(offbeat("run", "set", "--model", "random", "--out", "run", "--dry-run", "--json")[1])
    (model,) = told["models"]
    assert (model["name"], model["question"]) == ("random", "study")
    assert (model["expected"], model["kept"], model["to_ask"], model["most_usd"]) == (50, 20, 30, 0)


def test_dry_run_adds_up_what_several_may_cost(dataset, own_model, offbeat):
    words = ("run", "set", "--model", own_model, "--model", "random", "--question", "study", "--question", "letters")
    _, out, _ = offbeat(*words, "--prices", "prices.toml", "--out", "run", "--dry-run")
    assert [line.split()[-1] for line in out.splitlines()[1:5]] == ["0.00", "0.00", "free", "free"]
    assert "All of them together: at most $0.00." in out
    offbeat("run", "set", "--model", "random", "--out", "run")
    _, out, _ = offbeat("run", "set", "--model", "random", "--out", "run", "--dry-run")
    assert out.splitlines()[1].split()[-1] == "-"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "randm"), "did you mean 'random'"),
        (("--model", "random", "--model", "random"), "each named once"),
        (("--model", "random", "--genre", "opera"), "no clip of genre opera"),
        (("--model", "random", "--lengths", "3;5"), "not a time in seconds: '3;5'"),
        (("--model", "random", "--limit", "0"), "0 is not in the range"),
        (("--model", "random", "--max-cost", "nan"), "expected a number, got nan"),
        (("--model", "random", "--timeout", "nan"), "expected a number, got nan"),
        (
            ("--model", "gemini:gemini-3.8-flash", "--model", "openai:m", "--base-url", "http://127.0.0.1:9/v1"),
            "gemini:gemini-3.8-flash and openai:m would all be asked there, each with its key",
        ),
        (("--model", "openai:m", "--option", "preset=openrouter"), "price of openrouter/m is not known"),
        ((), "Missing option '--model'"),
    ],
)
def test_what_cannot_be_asked(dataset, offbeat, tmp_path, words, message, monkeypatch):
    monkeypatch.setenv("OPENROUTER_API_KEY", "none")
    code, out, err = offbeat("run", "set", "--out", "run", *words)
    assert code == 2
    assert message in err
    assert out == ""
    assert "asking" not in err
    assert not (tmp_path / "run").exists()


def test_no_dataset(offbeat):
    code, _, err = offbeat("run", "nowhere", "--model", "random", "--out", "run")
    assert code == 2
    assert "no dataset.json there" in err


def test_help_has_an_example(offbeat):
    code, out, _ = offbeat("run", "--help")
    assert code == 0
    assert "offbeat run set --model random" in out


def test_on_a_terminal_there_is_a_bar(dataset, tmp_path):
    ours, theirs = pty.openpty()
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "from offbeat.cli import main; main()",
            "run",
            "set",
            "--model",
            "random",
            "--out",
            "run",
        ],
        cwd=tmp_path,
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert ended.returncode == 0
    assert "\x1b[" in shown
    assert "50/50" in shown


def test_a_table_shows_what_a_terminal_would_act_upon():
    table = text_table(("name", "n"), [("a\x1b[31m\nb", 5), ("c", 10)])
    assert table.splitlines() == ["name           n", "a\\x1b[31m\\nb   5", "c             10"]
    assert one_line("x" * 300) == "x" * 199 + "…"


def test_answers_that_other_settings_make_void_are_told_before_they_are_asked_for_anew(dataset, offbeat, tmp_path):
    (tmp_path / "moved.py").write_text(
        "from offbeat.models.base import Reply\n\n\n"
        "class Moved:\n"
        "    name, looks = 'moved', False\n\n"
        "    def __init__(self, port='1'):\n"
        "        self.revision = f'2 host=127.0.0.1:{port} fps=8'\n\n"
        "    def reply(self, variant, prompt):\n"
        "        return Reply('sync')\n"
    )
    words = ("run", "set", "--model", "moved.py:Moved", "--out", "run")
    assert "anew" not in offbeat(*words, "--limit", "20")[2]
    assert "anew" not in offbeat(*words, "--limit", "30")[2]
    told = "asked for anew: 30; then host=127.0.0.1:1, now host=127.0.0.1:2"
    for more in (["--dry-run"], ["--limit", "40"]):
        assert told in offbeat(*words, "--option", "port=2", *more)[2]
    assert "anew: 10; then" in offbeat(*words, "--option", "port=1", "--limit", "10")[2]


def test_what_clips_of_one_length_alone_suffer_from_is_said_once(dataset, offbeat, tmp_path):
    (tmp_path / "short.py").write_text(
        "from offbeat.errors import RequestRejected\nfrom offbeat.models.base import Reply\n\n\n"
        "class Short:\n"
        "    name, revision, looks = 'short', '1', False\n\n"
        "    def reply(self, variant, prompt):\n"
        "        if variant.row.clip_length_s == 10 and variant.row.audio_delay_ms:\n"
        "            raise RequestRejected(f'{variant.row.variant_id[1:]}1 tokens are too many')\n"
        "        return Reply('sync')\n"
    )
    _, _, err = offbeat("run", "set", "--model", "short.py:Short", "--out", "run")
    _, out, _ = offbeat("status", "run")
    for told in (err, out):
        assert told.count("tokens are too many") == 1
        assert "short: 20 x, all of clips of 10 s: 0000" in told
    _, _, err = offbeat("run", "set", "--model", "short.py:Short", "--length", "10", "--out", "run")
    assert "short: 20 x 0000" in err  # there are no others


@pytest.mark.parametrize(("times", "said"), [(5, "m: 5 x busy"), (40, "m: 40 x, all of clips of 3 s and 5 s: busy")])
def test_a_few_failures_may_fall_on_clips_of_some_lengths_by_chance(times, said):
    assert failure_lines("m", [Failure("busy", times, (3.0, 5.0))], (3.0, 5.0, 10.0)) == [said]


def test_what_makes_answers_doubtful_is_said_at_the_end_of_a_run_by_the_status_and_on_the_page(
    dataset, offbeat, tmp_path
):
    (tmp_path / "halved.py").write_text(
        "from offbeat.models.base import Reply\n\n\n"
        "class Halved:\n"
        "    name, revision, looks = 'halved', '1', False\n\n"
        "    def reply(self, variant, prompt):\n"
        "        deaf = variant.row.audio_delay_ms > 1000\n"
        "        return Reply('sync', usage={'input_tokens': 800 if deaf else 900, 'output_tokens': 1})\n"
    )
    _, _, err = offbeat("run", "set", "--model", "halved.py:Halved", "--out", "run")
    _, out, _ = offbeat("status", "run")
    offbeat("report", "run", "--out", "report")
    for told in (err, out, (tmp_path / "report" / "index.html").read_text()):
        assert "Fewer tokens were counted for 10 of its 50 answers" in told


@pytest.fixture
def own_model(tmp_path):
    (tmp_path / "priced.py").write_text(
        "from offbeat.errors import ModelError\n"
        "from offbeat.models.base import Reply\n\n\n"
        "class Priced:\n"
        "    name, revision, looks, price_name = 'priced', '1', False, 'shop/priced'\n\n"
        "    def expected_usage(self, variant, prompt):\n"
        "        return {'input_tokens': 10, 'output_tokens': 1}\n\n"
        "    def reply(self, variant, prompt):\n"
        "        if variant.row.label == 'sync':\n"
        "            raise ModelError('priced: out of order')\n"
        "        return Reply('ahead', usage={'input_tokens': 10, 'output_tokens': 1})\n"
    )
    (tmp_path / "prices.toml").write_text(
        "[[price]]\nname = 'shop/priced'\ninput_usd = 1.0\noutput_usd = 1.0\nsince = 2026-01-01\nsource = 'a test'\n"
    )
    return "priced.py:Priced"


def test_calls_at_an_unknown_price_are_told_to_those_who_set_a_bound_later(dataset, own_model, offbeat):
    words = ("run", "set", "--model", own_model, "--limit", "20", "--out", "run")
    code, out, err = offbeat(*words, "--unknown-price")
    assert code == 1
    told = "not counted, nor by --max-cost: calls at an unknown price (--unknown-price), of priced"
    assert out.splitlines()[-1] == told
    assert " x out of order" in err
    assert "priced: priced:" not in err

    _, out, _ = offbeat(*words, "--prices", "prices.toml", "--max-cost", "1")
    assert out.splitlines()[-1] == told
    _, out, _ = offbeat("status", "run")
    assert out.splitlines()[-1] == told
    assert json.loads(offbeat("status", "run", "--json")[1])["unpriced"] == ["priced"]
    assert json.loads(offbeat(*words, "--unknown-price", "--json")[1])["unpriced"] == ["priced"]


def test_where_prices_are_known_nothing_is_said_of_unknown_ones(dataset, own_model, offbeat):
    _, out, _ = offbeat("run", "set", "--model", own_model, "--limit", "20", "--prices", "prices.toml", "--out", "run")
    assert "not counted" not in out


def test_a_fault_of_a_models_code_shows_its_traceback_once(dataset, tmp_path, offbeat, caplog):
    (tmp_path / "shaky.py").write_text(
        "class Shaky:\n"
        "    name, revision, looks = 'shaky', '1', False\n\n"
        "    def reply(self, variant, prompt):\n"
        "        if variant.row.label == 'sync':\n"
        "            raise KeyError('mel')\n"
        "        raise ValueError(f'CUDA error at {variant.row.variant_id}')\n"
    )
    words = ("run", "set", "--model", "shaky.py:Shaky", "--limit", "20", "--jobs", "1", "--out", "run")
    _, _, err = offbeat(*words)
    shown = [record.getMessage() for record in caplog.records if "Traceback" in record.getMessage()]
    assert sorted(text.rstrip().split("\n")[-1].split(":")[0] for text in shown) == ["KeyError", "ValueError"]
    assert " x ValueError: CUDA error at v0000" in err
    caplog.clear()
    offbeat(*words)
    assert any("Traceback" in record.getMessage() for record in caplog.records)
