"""Recorded replies: whatever a spreadsheet or a script wrote is read whole, or refused with file and line."""

import json

import pytest

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models import recorded
from offbeat.models.base import Prompt
from offbeat.models.registry import make_model
from offbeat.timing import LABELS

PROMPT = Prompt(text="?", options=LABELS)


def _replay(tmp_path, content, name="replies.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return make_model(f"replay:{path}")


def test_csv_with_bom_crlf_quotes_and_more_columns(tmp_path, variants):
    text = '\ufefffile_name,note,text,outcome\r\nclips/v0.mp4,x,"a, ""b""\r\nc",\r\n\r\nclips/v1.mp4,,,refused\r\n'
    model = _replay(tmp_path, text)
    assert model.reply(variants[0], PROMPT).text == 'a, "b"\r\nc'
    assert model.reply(variants[1], PROMPT).stop == "refused"


def test_jsonl_with_bom_crlf_and_unicode_line_separators(tmp_path, variants):
    rows = [
        {"variant_id": "v0", "text": "one\u2028two", "probabilities": {"sync": 0.25, "ahead": 0.75}, "cost": 3},
        {"variant_id": "v1", "text": "sync", "stop": "unsure"},
        {"variant_id": "v2", "text": None, "outcome": "error"},
    ]
    text = "\ufeff" + "\r\n\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\r\n"
    model = _replay(tmp_path, text, "r.jsonl")
    first = model.reply(variants[0], PROMPT)
    assert (first.text, first.stop, first.probabilities) == ("one\u2028two", "complete", {"sync": 0.25, "ahead": 0.75})
    assert model.reply(variants[1], PROMPT).stop == "unsure"
    with pytest.raises(ModelError, match="line 5: recorded as an error"):
        model.reply(variants[2], PROMPT)


def test_no_recorded_reply_is_an_error_for_that_variant_alone(tmp_path, variants):
    model = _replay(tmp_path, "variant_id,text\nv1,sync\n")
    assert model.reply(variants[1], PROMPT).text == "sync"
    with pytest.raises(ModelError, match="no reply recorded for variant v0"):
        model.reply(variants[0], PROMPT)


def test_probabilities_of_other_options(tmp_path, variants):
    model = _replay(tmp_path, '{"variant_id":"v0","text":"x","probabilities":{"late":1}}', "r.jsonl")
    with pytest.raises(ModelError, match=r"'late'.*not among the options"):
        model.reply(variants[0], PROMPT)


def test_another_file_is_another_revision(tmp_path):
    one = _replay(tmp_path, "variant_id,text\nv1,sync\n").revision
    assert _replay(tmp_path, "variant_id,text\nv1,ahead\n").revision != one


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.csv", "", "line 1: no variant_id"),
        ("r.csv", "variant_id,text\n", "no replies in it"),
        ("r.csv", "variant_id,answer\nv0,sync\n", "line 1: no text; found variant_id, answer"),
        ("r.csv", "id,text\nv0,sync\n", r"line 1: no variant_id \(or file_name\)"),
        ("r.csv", "variant_id,text,text\nv0,a,b\n", "named twice"),
        ("r.csv", "variant_id,text\nv0,sync, I think\n", "line 2: 3 cells, expected 2"),
        ("r.csv", "variant_id,text\nv0\n", "line 2: 1 cells, expected 2"),
        ("r.csv", 'variant_id,text\nv0,"sync\n', "line 2: not CSV"),
        ("r.csv", "variant_id,text\nv0,sync\nv1,sync\nv0,ahead\n", "line 4: variant_id 'v0' again, first on line 2"),
        ("r.csv", "variant_id,text\n,sync\n", "line 2: neither"),
        ("r.csv", "variant_id,text,outcome\nv0,sync,fine\n", "line 2: outcome 'fine', expected one of ok"),
        ("r.csv", "variant_id,text,probabilities\nv0,sync,high\n", "line 2: not JSON"),
        ("r.csv", 'variant_id,text,probabilities\nv0,sync,"{""sync"": 1.5}"\n', "line 2: probabilities"),
        ("r.csv", "variant_id,text\nv0,s\u00efnc\n".encode("latin-1"), "line 2: not UTF-8"),
        ("r.csv", "variant_id,text\nv0,sync\n".encode("utf-16"), "line 1: not UTF-8"),
        ("r.csv", "variant_id,text\nv0," + "x" * 200_000, "line 2: not CSV: field larger"),
        ("r.csv", b"variant_id,text\nv0,\x00\x00\xff", "line 2: not UTF-8"),
        ("r.jsonl", "{", "line 1: not JSON"),
        ("r.jsonl", "[1]\n", "line 1: expected an object"),
        ("r.jsonl", '{"variant_id":"a","text":"b"}\n{"variant_id":"c"}\n', "line 2: no text; found variant_id"),
        ("r.jsonl", '{"variant_id":"a","text":3}\n', "line 1: the text is 3"),
        ("r.jsonl", '{"variant_id":"a","text":null}\n', "line 1: the text is None"),
        ("r.jsonl", '{"variant_id":7,"text":"b"}\n', "line 1: neither"),
        ("r.jsonl", '{"variant_id":"a","text":"b","stop":5}\n', "line 1: outcome 5"),
        ("r.jsonl", '{"variant_id":"a","text":"b","probabilities":{"sync":NaN}}\n', "line 1: probabilities"),
        (
            "r.jsonl",
            '{"variant_id":"a","text":"b","probabilities":{"sync":0.6,"ahead":0.6}}\n',
            "with a sum of at most 1",
        ),
        ("r.jsonl", '{"variant_id":"a","text":"b","probabilities":[1]}\n', "line 1: probabilities"),
        ("r.jsonl", '{"variant_id":"a","text":"b","probabilities":{"sync":1' + "0" * 400 + "}}", "probabilities"),
        ("r.jsonl", "[" * 100_000, "line 1: not JSON"),
        ("r.txt", "variant_id,text\nv0,sync\n", "expected .csv or .jsonl"),
    ],
)
def test_bad_files_name_their_line(tmp_path, name, content, message):
    with pytest.raises(ModelUnavailable, match=message):
        _replay(tmp_path, content, name)


def test_a_missing_and_a_large_file(tmp_path, monkeypatch):
    with pytest.raises(ModelUnavailable, match="No such file"):
        make_model(f"replay:{tmp_path / 'none.csv'}")
    monkeypatch.setattr(recorded, "MAX_BYTES", 10)
    with pytest.raises(ModelUnavailable, match="expected at most 10"):
        _replay(tmp_path, "variant_id,text\nv0,sync\n")
