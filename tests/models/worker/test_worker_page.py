"""The page about workers names all fields, options and kinds that there are."""

import inspect
import re
from pathlib import Path

import pytest

from offbeat.models.worker import Worker
from offbeat.models.worker.protocol import ERRORS, ErrorMessage, Hello, ReplyMessage

PAGE = (Path(__file__).parents[3] / "docs" / "howto" / "workers.md").read_text(encoding="utf-8")
NAMED = {
    word
    for code in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))
    for word in re.findall(r"\w+", code)
}


@pytest.mark.parametrize("message", [Hello, ReplyMessage, ErrorMessage])
def test_every_field(message):
    assert set(message.model_fields) - {"type"} <= NAMED


def test_every_option_with_its_default():
    options = {name: p.default for name, p in inspect.signature(Worker).parameters.items() if name != "argument"}
    assert set(options) <= NAMED
    assert f"`start_s={options['start_s']:g}`" in PAGE
    assert f"`timeout_s={options['timeout_s']:g}`" in PAGE


def test_every_kind_of_error():
    assert set(ERRORS) <= NAMED
