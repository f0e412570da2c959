"""The money of a run folder: the bound is never crossed, whatever happens in between."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offbeat.evaluation.database import Database
from offbeat.evaluation.money.purse import OutOfMoney, Purse, spent_usd


def begin(purse, most_usd):
    return purse.begin(model="m", key="k", purpose="answer", most_usd=most_usd)


def test_a_call_that_never_ended_counts_with_all_that_was_set_aside(tmp_path):
    with Database(tmp_path / "a.sqlite") as database:
        purse = Purse(database)
        begin(purse, 0.5)  # and the process is killed
        purse.end(begin(purse, 0.5), ended="Reply", usage={"input_tokens": 1}, cost_usd=0.1)
    with Database(tmp_path / "a.sqlite") as database:
        assert spent_usd(database) == pytest.approx(0.6)
        purse = Purse(database, most_usd=1.0)
        assert purse.spent_usd == pytest.approx(0.6)
        with pytest.raises(OutOfMoney):
            begin(purse, 0.5)
        begin(purse, 0.4)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=40))
def test_it_is_never_crossed(tmp_path_factory, calls):
    """In hundredths: set aside, and of that really spent (in per cent)."""
    with Database(tmp_path_factory.mktemp("purse") / "a.sqlite") as database:
        purse = Purse(database, most_usd=1.0)
        for reserved, share in calls:
            try:
                call = begin(purse, reserved / 100)
            except OutOfMoney:
                continue
            assert spent_usd(database) <= 1.0 + 1e-9
            purse.end(call, ended="Reply", usage=None, cost_usd=reserved / 100 * share / 100)
        assert purse.spent_usd == pytest.approx(spent_usd(database))


def test_nobody_waits_for_calls_that_have_all_ended(tmp_path):
    with Database(tmp_path / "a.sqlite") as database:
        purse = Purse(database, most_usd=0.34)
        calls = [begin(purse, 0.1), begin(purse, 0.02), begin(purse, 0.1), begin(purse, 0.1)]
        for place in (0, 2, 1, 3):  # what was set aside comes to 4e-17 less than what it was, by rounding
            purse.end(calls[place], ended="TransientError", usage=None, cost_usd=None)
        with pytest.raises(OutOfMoney) as caught:
            begin(purse, 0.02)
        assert not caught.value.may_pass


def test_threads_cannot_spend_the_same_money_twice(tmp_path):
    with Database(tmp_path / "a.sqlite") as database:
        purse = Purse(database, most_usd=1.0)

        def one(_):
            try:
                begin(purse, 0.1)
            except OutOfMoney:
                return 0
            return 1

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(one, range(60))) in (9, 10)  # 10 x 0.1 is a shade more than 1 in binary
        assert spent_usd(database) <= 1.0 + 1e-9


def test_a_call_dearer_than_the_most_that_it_could_cost_is_learnt_from(tmp_path):
    """Of that model, in this process and the next; the other is reckoned as before."""
    with Database(tmp_path / "a.sqlite") as database:
        purse = Purse(database, most_usd=1.0)
        purse.end(begin(purse, 0.1), ended="Reply", usage=None, cost_usd=0.45)
        with pytest.raises(OutOfMoney, match=r"the next call may cost \$0\.4500"):
            purse.end(begin(purse, 0.1), ended="Reply", usage=None, cost_usd=0.45) or begin(purse, 0.1)
        purse.begin(model="another", key="k", purpose="answer", most_usd=0.01)
    with Database(tmp_path / "a.sqlite") as database:
        assert spent_usd(database) == pytest.approx(0.91)
        begin(Purse(database, most_usd=1.37), 0.1)
        assert spent_usd(database) == pytest.approx(1.36)
