"""What a server bills, by its own count: never more than --max-cost, and nearly all of it where nothing goes wrong."""

from datetime import date

import numpy as np
import pytest
from builds import build, card_file, settings

from offbeat.evaluation.money.prices import read_prices
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.gemini import Gemini
from servers.gemini_wire import KEY, GeminiWire
from servers.stand_in import StandIn, half_body, hang, html, status

DAY = date(2026, 11, 23)
PRICES = read_prices(None, today=DAY)
PRICE = PRICES["gemini/gemini-3.8-flash"]
BUDGET = 500
"""Tokens of output."""


class Bill:
    """Thinks up to `most` tokens, is cut off now and then, and adds up what that costs, of lost replies too."""

    def __init__(self, most, *, cut_off=0.0):
        self.usd, self.calls, self._most, self._cut_off = 0.0, 0, most, cut_off
        self._rng = np.random.default_rng(20261123)

    def __call__(self, answer):
        usage = answer["usageMetadata"]
        usage["thoughtsTokenCount"] = self._thoughts()
        if self._rng.random() < self._cut_off:
            answer["candidates"][0] = {"finishReason": "MAX_TOKENS", "index": 0}
        written = usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
        self.usd += (usage["promptTokenCount"] * PRICE.input_usd + written * PRICE.output_usd) / 1e6
        self.calls += 1

    def _thoughts(self):
        return int(self._rng.integers(self._most))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bill") / "videos"
    card_file(folder / "one.mkv", seed=1, length_s=8, size=128)
    delays = [0.1 * step for step in range(-10, 11)]
    return build(folder, folder.parent / "set", settings(lengths_s=(2,), delays_s=delays))[1]


@pytest.fixture
def run(dataset, tmp_path, monkeypatch):
    """Runs with a bound, against a server that bills; gives what is noted, and how the model fared."""
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setattr("offbeat.evaluation.money.prices.this_day", lambda: DAY)
    with StandIn(GeminiWire(), keep_bodies=False) as server:

        def go(bill, most_usd, faults=None):
            server.wire.amend, server.faults = bill, faults
            model = Gemini(argument="gemini-3.8-flash", base_url=server.url, max_output_tokens=BUDGET)
            terms = Terms(
                prices=PRICES,
                most_usd=most_usd,
                connections=64,
                even_if_deaf=True,
                call_limit_s=0.3 if faults else 60,
                first_wait_s=0.001,
            )
            summary = run_models(dataset, [model], out=tmp_path / "run", terms=terms)
            return summary.spent_usd, summary.models[0]

        yield go
        assert server.failures == []


def faults_at_random(seed):
    rng = np.random.default_rng(seed)
    kinds = [half_body(), hang(1), status(503), html(), status(429, {"retry-after": "0"})]
    return lambda request: kinds[rng.integers(len(kinds))] if rng.random() < 0.3 else None


def test_never_more_than_the_bound_whatever_happens_and_over_several_commands(run):
    bill = Bill(BUDGET, cut_off=0.2)
    for round_, most_usd in enumerate((0.02, 0.05, 0.1)):
        spent_usd, model = run(bill, most_usd, faults_at_random(round_))
        assert bill.usd <= spent_usd <= most_usd
        assert "of --max-cost" in model.stopped
    assert bill.calls > 10


def test_nearly_all_of_a_budget_can_be_used(run):
    """The most that a call may cost is set aside for those in flight alone."""
    bill = Bill(1)
    spent_usd, model = run(bill, 0.04)
    assert "of --max-cost" in model.stopped
    assert bill.usd == pytest.approx(spent_usd)
    bound_of_a_call = 0.01
    assert 0.04 - bound_of_a_call < bill.usd <= 0.04


def test_a_server_that_thinks_beyond_the_budget_does_so_once(run):
    class Beyond(Bill):
        def _thoughts(self):
            return 40 * BUDGET

    bill = Beyond(1)
    spent_usd, _ = run(bill, 0.5)
    assert bill.usd == pytest.approx(spent_usd)
    assert 0.4 < spent_usd <= 0.5
