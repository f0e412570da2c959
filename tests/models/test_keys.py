"""Keys are taken out of every text, however they were written on their way."""

import base64
import html
import json
import logging
from urllib.parse import quote, quote_plus

import pytest

from offbeat.errors import ModelUnavailable
from offbeat.evaluation.calls.checking import checked
from offbeat.models.base import Reply
from offbeat.models.keys import key_from, redacted, secrets_now
from offbeat.models.openai import OpenAI
from offbeat.models.registry import make_model

KEYS = ["sk-or-v1-sentinel-0123456789abcdef", "AIzaSy_entinel-Xy/7+zQ==", "we\"ird\\s'entinel&<k>=%#~$`!", "sk-1234"]
WRITTEN = {
    "plain": str,
    "other case": str.upper,
    "JSON": json.dumps,
    "JSON in JSON": lambda key: json.dumps(json.dumps(key)),
    "JSON of PHP": lambda key: json.dumps(key).replace("/", "\\/"),
    "JSON of Go": lambda key: json.dumps(key).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003E"),
    "JSON, each character": lambda key: "".join(f"\\u{ord(character):04x}" for character in key),
    "Python": repr,
    "bytes of Python": lambda key: repr(key.encode()),
    "URL": quote,
    "URL, strict": lambda key: quote(key, safe=""),
    "URL in URL": lambda key: quote(quote_plus(key), safe=""),
    "HTML": html.escape,
    "HTML in HTML": lambda key: html.escape(html.escape(key)),
    "HTML, each character": lambda key: "".join(f"&#{ord(character)};" for character in key),
    "hex": lambda key: key.encode().hex(),
    "hex, upper case": lambda key: key.encode().hex().upper(),
    "Base64": lambda key: base64.b64encode(key.encode()).decode(),
    "Base64 of Basic": lambda key: base64.b64encode(f"user:{key}@host".encode()).decode(),
    "Base64 of Bearer": lambda key: base64.urlsafe_b64encode(f"Bearer {key}".encode()).decode(),
}


@pytest.fixture(params=KEYS)
def key(request, monkeypatch) -> str:
    monkeypatch.setenv("LAB_ACCESS", request.param)
    return key_from(["LAB_ACCESS"], spec="m")


@pytest.mark.parametrize("way", WRITTEN)
def test_a_key_is_found_however_it_is_written(way, key):
    written = WRITTEN[way](key)
    before, after = redacted(f"before {written} after").split("[LAB_ACCESS]")
    left = before.removeprefix("before ") + after.removesuffix(" after")
    if "Base64" in way:  # a letter on either side also says something of a neighbour
        assert len(written) - len(left) >= 8 * len(key) // 6 - 2
    else:
        assert left.strip("b'\"\\") == "", "the quotes around it alone"


def test_no_other_text_is_touched(key):
    text = 'ahead: the sound of "sk-" comes 0.5 s earlier & C:\\new\\table %20 &#38; YWhlYWQgb3IgYmVoaW5k MTIzNA=='
    assert redacted(text) == text


def test_a_word_in_place_of_a_key_garbles_no_answer(monkeypatch):
    """Servers that need no key are given such as EMPTY."""
    monkeypatch.setenv("LAB_ACCESS", "EMPTY")
    assert key_from(["LAB_ACCESS"], spec="m") == "EMPTY"
    assert redacted("The stage is empty, and NONEMPTY before: sync") == "The stage is empty, and NONEMPTY before: sync"
    assert redacted("Bearer EMPTY, '%45MPTY'") == "Bearer [LAB_ACCESS], '[LAB_ACCESS]'"


def test_a_key_in_a_record_leaves_the_record_whole(key):
    reply = checked(Reply("sync", usage={key: 3}, details={"a": [{"b": f"<{key}>"}], "n": 0.5, "none": None}), ["sync"])
    assert reply.usage == {"[LAB_ACCESS]": 3}
    assert reply.details == {"a": [{"b": "<[LAB_ACCESS]>"}], "n": 0.5, "none": None}


def test_a_key_is_taken_out_before_a_text_is_cut(key):
    with pytest.raises(TypeError) as caught:
        checked({"text": "x" * 175 + key + "y"}, ["sync"])
    assert all(part not in str(caught.value) for part in (key[:6], json.dumps(key)[1:7]))


def test_of_two_secrets_one_may_hold_the_other(monkeypatch):
    monkeypatch.setenv("A_TOKEN", "sentinel-1")
    monkeypatch.setenv("B_TOKEN", "sentinel-1-and-more")
    assert redacted("sentinel-1-and-more, sentinel-1") == "[B_TOKEN], [A_TOKEN]"


def test_what_is_too_short_is_no_key(monkeypatch):
    monkeypatch.setenv("LAB_ACCESS", "abc")
    with pytest.raises(ModelUnavailable, match=r"'m': the key in LAB_ACCESS has 3 characters, expected 4 or more"):
        key_from(["LAB_ACCESS"], spec="m")
    monkeypatch.setenv("SOME_TOKEN", "abcdefg")
    assert "SOME_TOKEN" not in dict(secrets_now())  # nobody read a key from it
    monkeypatch.setenv("SOME_TOKEN", "abcdefgh")
    assert dict(secrets_now())["SOME_TOKEN"] == "abcdefgh"


def test_no_key_is_logged_by_the_client(key, caplog):
    with caplog.at_level(logging.DEBUG):
        for log in ("httpx2", "httpcore2.http11"):
            logging.getLogger(log).debug("headers %r of %s", [(b"x-echo", key.encode())], key)
    assert len(caplog.messages) == 2
    assert caplog.text.count("[LAB_ACCESS]") == 4


def test_a_key_in_a_revision_is_refused(key, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import os\nclass Mine:\n    name = 'mine'\n    revision = os.environ['LAB_ACCESS']\n"
        "    def reply(self, variant, prompt): ...\n"
    )
    with pytest.raises(ModelUnavailable, match=r"its revision, .* holds a secret of the environment: \[LAB_ACCESS\]$"):
        make_model(f"{tmp_path}/mine.py:Mine")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base_url": "ftp://me:SENTINEL@host/v1"}, "expected a base url such as"),
        ({"base_url": "https://me:SENTINEL@host:99999/v1"}, "expected a base url such as"),
        ({"base_url": "https://me:SENTINEL@host/v1"}, "a base url holds no key"),
        ({"base_url": "https://host/v1?key=SENTINEL"}, "a base url holds no key"),
        ({"key_env": "sk-SENTINEL"}, "expected the name of an environment variable"),
        ({"extra": {"api_key": "SENTINEL"}}, r"option extra: 'api_key': a key comes from the environment only"),
        ({"extra": {"headers": {"X-Authorization": "SENTINEL"}}}, r"option extra: 'X-Authorization'"),
    ],
)
def test_a_key_that_was_given_otherwise_is_refused_and_not_repeated(options, message):
    with pytest.raises(ModelUnavailable, match=message) as caught:
        OpenAI(argument="m", **{"preset": "plain", "base_url": "https://host/v1", **options})
    assert "SENTINEL" not in str(caught.value)


def test_other_fields_may_be_named_like_tokens():
    model = OpenAI(argument="m", preset="vllm", extra={"skip_special_tokens": False, "stop": "</secret>"})
    assert "skip_special_tokens" in model.revision
