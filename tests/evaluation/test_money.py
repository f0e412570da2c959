"""Prices with dates, and the arithmetic of tokens."""

from datetime import date, timedelta

import pytest

from offbeat.errors import SettingsError
from offbeat.evaluation.money.prices import Price, cost_usd, read_prices, unknown_prices

DAY = date(2026, 11, 23)
PRICE = Price(name="p", input_usd=2.0, audio_usd=5.0, output_usd=10.0, batch_share=0.5, since=DAY, source="a test")


@pytest.mark.parametrize(("fps", "usd"), [(1, 3), (8, 15), (24, 44)])
def test_the_study_as_others_have_reckoned_it(fps, usd):
    """4,284 clips of 8 s on gemini-3.8-flash: 70 tokens a frame, 32 a second of sound; $3, $15, $44 without replies."""
    usage = {"input_tokens": 8 * (70 * fps + 32) + 60, "output_tokens": 0}
    price = read_prices(None, today=DAY)["gemini/gemini-3.8-flash"]
    assert round(4284 * cost_usd(price, usage, day=DAY)) == usd


def test_sound_thoughts_and_batches():
    usage = {
        "input_tokens": 1000,
        "audio_tokens": 400,
        "output_tokens": 10,
        "thinking_tokens": 90,
        "cached_tokens": 500,
    }
    assert cost_usd(PRICE, usage) == pytest.approx((600 * 2 + 400 * 5 + 100 * 10) / 1e6)
    assert cost_usd(PRICE, usage, batch=True) == pytest.approx((600 * 2 + 400 * 5 + 100 * 10) / 2e6)


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"input_tokens": 5},
        {"output_tokens": 5},
        {"input_tokens": "5", "output_tokens": 1},
        {"input_tokens": 5, "output_tokens": 1, "thinking_tokens": -5_000_000},
        {"input_tokens": 5, "output_tokens": float("nan")},
        {"input_tokens": 10**400, "output_tokens": 1},
    ],
)
def test_what_nobody_counted_has_no_cost(usage):
    """A server that takes tokens back would make room below the bound."""
    assert cost_usd(PRICE, usage) is None


def test_what_a_model_has_looked_up_besides_is_input():
    usage = {"input_tokens": 1000, "tool_tokens": 500, "output_tokens": 0}
    assert cost_usd(PRICE, usage) == pytest.approx(1500 * 2 / 1e6)


def test_a_price_holds_on_its_days_alone():
    name = "gemini/gemini-3.8-flash"
    assert read_prices(None, today=date(2026, 12, 31))[name].input_usd == 0.75
    assert read_prices(None, today=date(2027, 1, 1))[name].input_usd == 1.50
    assert name not in read_prices(None, today=date(2026, 8, 31))


@pytest.mark.parametrize(
    ("day", "single", "batch"),
    [(28, 2, 1), (29, 2, 2), (30, 4, 2), (31, 4, 2)],  # of November; dearer from 1 December on
)
def test_a_call_is_reckoned_by_its_own_day_and_never_too_cheap(day, single, batch):
    """The table was opened on the 23rd: a run goes on for days, a maker's day begins at another hour."""
    price = read_prices(None, today=DAY)["gemini/gemini-4-argon"]
    made = date(2026, 11, 1) + timedelta(days=day - 1)
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    assert cost_usd(price, usage, day=made) == single
    assert cost_usd(price, usage, day=made, batch=True) == batch


def test_after_the_last_day_that_a_table_knows_the_last_price_stays():
    price = Price(name="p", input_usd=2, output_usd=10, since=DAY, until=DAY, source="a test")
    assert cost_usd(price, {"input_tokens": 1_000_000, "output_tokens": 0}, day=date(2030, 1, 1)) == 2


ROW = """[[price]]
name = "gemini/gemini-3.8-flash"
input_usd = 9
output_usd = 9
since = 2020-01-01
source = "me"
"""


def test_the_users_table_goes_first(tmp_path):
    own = tmp_path / "prices.toml"
    own.write_text("\ufeff" + ROW + "until = 2026-11-30\n", encoding="utf-8")
    prices = read_prices(own, today=DAY)
    price = prices["gemini/gemini-3.8-flash"]
    assert price.input_usd == 9
    assert "gemini/gemini-3.5-flash-lite" in prices
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    days = [date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 31)]
    assert [cost_usd(price, usage, day=day) for day in days] == [9, 0.75, 1.5], "ours holds again where it ends"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (ROW, "price = 3", r"price: Input should be a valid list, got 3"),
        (ROW, "", r"price: is missing"),
        (ROW, "price = []", r"price: List should have at least 1 item"),
        ("[[price]]", "[[price]", r"not TOML: .*line 1"),
        ("input_usd = 9", "input_usd = -1", r"price\.1\.input_usd: Input should be greater than or equal to 0, got -1"),
        ("input_usd = 9", "input_usd = nan", r"price\.1\.input_usd: Input should be .*finite number, got nan"),
        ("input_usd = 9", "input_usd = inf", r"price\.1\.input_usd: .*got inf"),
        ("input_usd = 9", 'input_usd = "9"', r"price\.1\.input_usd: Input should be a valid number, got '9'"),
        ("input_usd = 9", "input_usd = true", r"price\.1\.input_usd: .*got True"),
        ("input_usd = 9\n", "", r"price\.1\.input_usd: is missing"),
        ("since = 2020-01-01\n", "", r"price\.1\.since: is missing"),
        ("since = 2020-01-01", 'since = "1 May"', r"price\.1\.since: Input should be a valid date, got '1 May'"),
        ("since = 2020-01-01", "since = 2020-02-30", r"not TOML"),
        ("output_usd", "ouput_usd", r"price\.1\.output_usd: is missing"),
        ("source", "batch_share = 0\nsource", r"price\.1\.batch_share: Input should be greater than 0, got 0"),
        ("source", "cached_usd = 1\nsource", r"cached_usd: no such key; expected some of name, input_usd, output_usd"),
        ("source", "until = 2019-12-31\nsource", r"gemini-3\.8-flash: until 2019-12-31 is before since 2020-01-01"),
        (
            ROW,
            ROW + ROW.replace("2020-01-01", "2027-01-01"),
            r"two prices of .*3\.8-flash hold on 2027-01-01; end the one since 2020-01-01 with until = 2026-12-31",
        ),
        ('name = "gemini/gemini-3.8-flash"', 'name = ""', r"price\.1\.name: String should have at least 1 character"),
    ],
)
def test_a_table_that_is_none(tmp_path, before, after, message):
    assert before in ROW
    own = tmp_path / "prices.toml"
    own.write_text(ROW.replace(before, after, 1))
    with pytest.raises(SettingsError, match=rf"prices\.toml: .*{message}") as caught:
        read_prices(own, today=DAY)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file"):
        read_prices(tmp_path / "none.toml", today=DAY)
    (tmp_path / "latin.toml").write_bytes(ROW.replace("me", "é").encode("latin-1"))
    with pytest.raises(SettingsError, match="not UTF-8"):
        read_prices(tmp_path / "latin.toml", today=DAY)


def test_free_is_not_unknown():
    assert unknown_prices([None, "p", "q"], {"p": PRICE}) == ["q"]
