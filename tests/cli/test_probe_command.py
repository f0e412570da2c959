import json

import pytest
from builds import build, card_file, settings
from click.testing import CliRunner

from offbeat.cli import cli
from offbeat.errors import SettingsError

MODELS = '''
"""Models of a user."""

from offbeat.models.base import Reply


class Seeing:
    name, revision = "seeing", "1"

    def reply(self, variant, prompt):
        images = variant.frames(height=18, grey=True).images.astype(float)
        moving = abs(images[1:] - images[:-1]).mean(axis=(1, 2)).max() > 1
        if "moving" in prompt.options:
            return Reply("moving" if moving else "frozen")
        return Reply("audible" if "audible" in prompt.options else "sync", usage={"audio_tokens": 0})


class Hearing(Seeing):
    name = "hearing \\x07"

    def reply(self, variant, prompt):
        silent = abs(variant.sound().samples).max() < 0.001
        if "audible" in prompt.options:
            return Reply("silent" if silent else "audible")
        return super().reply(variant, prompt)
'''

HALF_A_WORD = """
from offbeat.models.base import Reply


class Unsure:
    name, revision = "unsure", "1"

    def reply(self, variant, prompt):
        rest = 0.25 / (len(prompt.options) - 1)
        first, *others = prompt.options
        return Reply("aud", stop="truncated", probabilities={first: 0.75, **dict.fromkeys(others, rest)})
"""


REFUSING_ONE = """

class Refusing(Hearing):
    name, calls = "refusing", 0

    def reply(self, variant, prompt):
        Refusing.calls += 1
        if Refusing.calls == 3:
            raise RuntimeError("this clip is beyond me")
        return super().reply(variant, prompt)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("probing")
    for seed in range(3):
        card_file(root / "videos" / f"{seed}.mkv", seed=seed, length_s=4, size=128)
    build(root / "videos", root / "set", settings(lengths_s=(1,), delays_s=(0, 0.5)))
    (root / "own.py").write_text(MODELS, encoding="utf-8")
    return root


def probe(made, model, *more):
    arguments = ["probe", str(made / "set"), "--model", model, *more]
    return CliRunner().invoke(cli, arguments, standalone_mode=False)


def test_a_model_that_hears_and_sees(made):
    done = probe(made, f"{made}/own.py:Hearing")
    assert done.return_value == 0
    assert "Its answers depend on the sound and on the picture." in done.stdout
    assert "\x07" not in done.stdout


def test_a_deaf_one_is_shown_in_a_table(made):
    done = probe(made, f"{made}/own.py:Seeing")
    assert done.return_value == 1
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["question", "shown", *(word for k in "1234" for word in ("clip", k))]
    assert [line.split()[-4:] for line in lines if "anything to hear?" in line] == [["audible"] * 4] * 4
    assert [line.split()[-1] for line in lines if "anything moves?" in line] == ["moving", "moving", "frozen", "frozen"]
    assert any(line.startswith("sound: does not depend") for line in lines)
    assert any(line.startswith("picture: depends") for line in lines)
    assert "audio_tokens 0" in done.stdout
    assert lines[-1].endswith("By its own count it read no tokens of the sound.")


def test_a_reply_that_names_nothing_is_shown_with_what_was_likeliest(made):
    (made / "unsure.py").write_text(HALF_A_WORD, encoding="utf-8")
    done = probe(made, f"{made}/unsure.py:Unsure")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "anything to hear? muted" + 4 * " truncated, audible 0.7500" in lines
    assert "anything moves? frozen late" + 4 * " truncated, moving 0.7500" in lines


def test_as_json(made):
    done = probe(made, f"{made}/own.py:Seeing", "--json", "--clips", "2")
    told = json.loads(done.stdout)
    assert done.return_value == 1
    assert told["not_probed"] == []
    assert [record["passed"] for record in told["probes"]] == [False]
    assert len(told["probes"][0]["said"]) == 28


def test_a_probe_that_is_stopped_does_not_say_that_it_is_kept(made):
    text = MODELS.replace("images = variant.frames", "raise KeyboardInterrupt\n        images = variant.frames")
    (made / "stopped.py").write_text(text, encoding="utf-8")
    done = probe(made, f"{made}/stopped.py:Seeing")
    assert done.exit_code == 130
    assert "Nothing of this probe is kept; the same command begins it anew." in done.stderr


def test_who_looks_at_nothing_passes_nothing(made):
    done = probe(made, "always:sync")
    assert done.return_value == 1
    assert "looks at no clip" in done.stdout


def test_a_length_that_is_not_there(made):
    done = probe(made, "signal", "--length", "7")
    assert "no clip of length 7 s; the dataset has 1 s" in str(done.exception)


PAID = (
    MODELS
    + """

class Paid(Hearing):
    name, price_name = "paid", "somewhere/paid"

    def expected_usage(self, variant, prompt):
        return {"input_tokens": 1_000_000, "output_tokens": 0}
"""
)
PRICES = '[[price]]\nname = "somewhere/paid"\ninput_usd = 1\noutput_usd = 1\nsince = 2026-01-01\nsource = "a test"\n'


def test_nothing_is_asked_that_might_cost_more_than_the_bound(made, tmp_path):
    own, prices = tmp_path / "paid.py", tmp_path / "prices.toml"
    own.write_text(PAID, encoding="utf-8")
    prices.write_text(PRICES, encoding="utf-8")
    unknown = probe(made, f"{own}:Paid").exception
    assert isinstance(unknown, SettingsError)
    assert "price of somewhere/paid is not known" in str(unknown)
    too_much = probe(made, f"{own}:Paid", "--prices", str(prices), "--max-cost", "50").exception
    assert isinstance(too_much, SettingsError)
    assert "may cost $56.00, more than the $50 of --max-cost" in str(too_much)
    enough = probe(made, f"{own}:Paid", "--prices", str(prices), "--max-cost", "60")
    assert enough.return_value == 0
    assert enough.stdout.splitlines()[-1] == "spent, as far as prices are known: $56.0000"


def test_calls_that_cost_more_than_they_should_end_at_the_bound(made, tmp_path):
    own, prices = tmp_path / "dear.py", tmp_path / "prices.toml"
    own.write_text(PAID.replace('"audio_tokens": 0', '"input_tokens": 2_000_000, "output_tokens": 0'), encoding="utf-8")
    prices.write_text(PRICES, encoding="utf-8")
    done = probe(made, f"{own}:Paid", "--prices", str(prices), "--max-cost", "56", "--json")
    told = json.loads(done.stdout)
    assert done.return_value == 1
    assert 54 < told["spent_usd"] <= 56
    assert "more than the $56 of --max-cost" in told["probes"][0]["error"]


def test_a_clip_that_a_model_of_ones_own_trips_over_is_replaced_and_nothing_goes_beyond_all(made):
    (made / "refusing.py").write_text(MODELS + REFUSING_ONE, encoding="utf-8")
    done = probe(made, f"{made}/refusing.py:Refusing", "--clips", "2")
    assert "In place of a clip that failed, another was shown: RuntimeError: this clip is beyond me." in done.stdout
    assert "28 of 28" in done.stderr
    assert "could not be carried out" not in done.stdout
