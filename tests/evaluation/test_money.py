"""Prices with dates, and the arithmetic of tokens."""

from datetime import date

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
    assert round(4284 * cost_usd(price, usage)) == usd


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
    "usage", [{}, {"input_tokens": 5}, {"output_tokens": 5}, {"input_tokens": "5", "output_tokens": 1}]
)
def test_what_nobody_counted_has_no_cost(usage):
    assert cost_usd(PRICE, usage) is None


def test_a_price_holds_on_its_days_alone():
    name = "gemini/gemini-3.8-flash"
    assert read_prices(None, today=date(2026, 12, 31))[name].input_usd == 0.75
    assert read_prices(None, today=date(2027, 1, 1))[name].input_usd == 1.50
    assert name not in read_prices(None, today=date(2026, 8, 31))


def test_the_users_table_goes_first(tmp_path):
    own = tmp_path / "prices.toml"
    own.write_text(
        '[[price]]\nname = "gemini/gemini-3.8-flash"\n'
        'input_usd = 9\noutput_usd = 9\nsince = 2020-01-01\nsource = "me"\n'
    )
    prices = read_prices(own, today=DAY)
    assert prices["gemini/gemini-3.8-flash"].input_usd == 9
    assert "gemini/gemini-3.5-flash-lite" in prices


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("price = 3", "prices.toml: not a table of prices"),
        ("[[price]\n", "prices.toml: not a table of prices"),
        ('[[price]]\nname = "x"\ninput_usd = -1\noutput_usd = 9\nsince = 2020-01-01\nsource = "me"', "input_usd"),
        ('[[price]]\nname = "x"\ninput_usd = 1\nouput_usd = 9\nsince = 2020-01-01\nsource = "me"', "ouput_usd"),
        (
            2 * '[[price]]\nname = "x"\ninput_usd = 1\noutput_usd = 9\nsince = 2020-01-01\nsource = "me"\n',
            "two prices of x",
        ),
    ],
)
def test_a_table_that_is_none(tmp_path, text, message):
    own = tmp_path / "prices.toml"
    own.write_text(text)
    with pytest.raises(SettingsError, match=message):
        read_prices(own, today=DAY)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        read_prices(tmp_path / "none.toml", today=DAY)


def test_free_is_not_unknown():
    assert unknown_prices([None, "p", "q"], {"p": PRICE}) == ["q"]
