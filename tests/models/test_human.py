"""People's recorded answers: each person is an observer; what is missing is missing; bad files name their line."""

import json

import pytest

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models import human
from offbeat.models.base import Prompt
from offbeat.models.human import Human
from offbeat.models.registry import make_model, spelled_out
from offbeat.timing import LABELS

PROMPT = Prompt(text="?", options=LABELS)


@pytest.fixture
def write(tmp_path):
    def write(content, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


THREE = "variant_id,person,answer,seconds\nv0,anna,sync,2.5\nv0,7,ahead,\nv1,anna,Behind!,\nv1,ben :-),,9\n"


def test_each_person_is_a_model(write, variants):
    path = write(THREE)
    specs = spelled_out(["oracle", f"human:{path}"])
    assert specs == ["oracle", *(f"human:{path}:{name}" for name in ("anna", "7", "ben :-)"))]
    anna, seven, ben = (make_model(spec) for spec in specs[1:])
    assert [model.name for model in (anna, seven, ben)] == specs[1:]
    first = anna.reply(variants[0], PROMPT)
    assert (first.text, first.details) == ("sync", {"person": "anna", "seconds": 2.5})
    assert (anna.reply(variants[1], PROMPT).text, seven.reply(variants[0], PROMPT).text) == ("Behind!", "ahead")
    for model, variant in ((anna, variants[2]), (seven, variants[1]), (ben, variants[1])):
        with pytest.raises(ModelError, match=f"no answer recorded for variant {variant.row.variant_id} "):
            model.reply(variant, PROMPT)


def test_one_person_needs_no_name(write, variants):
    path = write(
        '{"file_name": "clips/v1.mp4", "answer": "ahead"}\n\n{"file_name": "clips/v0.mp4", "answer": null}', "a.jsonl"
    )
    assert spelled_out([f"human:{path}"]) == [f"human:{path}"]
    reply = make_model(f"human:{path}").reply(variants[1], PROMPT)
    assert (reply.text, reply.details) == ("ahead", {})
    named = write("variant_id,answer,person\nv1,sync,x.csv\n")
    assert spelled_out([f"human:{named}"]) == [f"human:{named}"]
    assert make_model(f"human:{named}").reply(variants[1], PROMPT).details == {"person": "x.csv"}
    assert make_model(f"human:{named}:x.csv").name == f"human:{named}:x.csv"


def test_whose_answers_are_meant_has_to_be_said(write):
    path = write(THREE)
    with pytest.raises(
        ModelUnavailable, match=r"has the answers of human:.*a\.csv:anna, human:.*:7, human:.*; ask for"
    ):
        make_model(f"human:{path}")
    with pytest.raises(ModelUnavailable, match="ask for one of these"):
        make_model(f"human:{path}:carl")
    with pytest.raises(ModelUnavailable, match="has the answers of one person, without a name"):
        make_model(f"human:{write('variant_id,answer' + chr(10) + 'v0,sync', 'b.csv')}:anna")


def test_two_answers_about_one_variant_are_none(write, variants):
    path = write("variant_id,file_name,answer\nv0,,sync\n,clips/v0.mp4,sync\n")
    with pytest.raises(ModelError, match=r"lines 2 and 3: both are about variant v0"):
        make_model(f"human:{path}").reply(variants[0], PROMPT)


def test_what_another_person_answers_changes_nobodys_revision(write):
    def revision(text):
        return Human(argument=f"{write('variant_id,person,answer,seconds' + chr(10) + text)}:anna").revision

    alone = revision("v0,anna,sync,\nv1,anna,ahead,\n")
    assert revision("v1,anna,ahead,\nv0,ben,ahead,\nv0,anna,sync,\n") == alone
    assert revision("v0,anna,sync,\nv1,anna,sync,\n") != alone
    assert revision("v0,anna,sync,\nv1,anna,ahead,3\n") != alone


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "line 1: no variant_id"),
        ("a.csv", "variant_id,answer\n", "no answers in it"),
        ("a.csv", "variant_id,answer\nv0,\nv1,  \n", "no answers in it"),
        ("a.csv", "variant_id,text\nv0,sync\n", "line 1: no answer; found variant_id, text"),
        ("a.csv", "variant_id,answer\nv0,sync\nv0,ahead\n", "line 3: variant_id 'v0' again, first on line 2.*`person`"),
        (
            "a.csv",
            "variant_id,answer,person\nv0,a,x\nv0,b,y\nv0,c,x",
            "line 4: variant_id 'v0' again by x, first on line 2",
        ),
        ("a.csv", "variant_id,answer,person\nv0,sync,anna\nv1,sync,\n", "line 3: a person is named in some rows only"),
        ("a.csv", "variant_id,answer,person\nv0,sync,\nv1,sync,anna\n", "line 3: a person is named in some rows only"),
        ("a.csv", 'variant_id,answer,person\nv0,sync,"an\nna"\n', "line 3: the person is"),
        ("a.csv", "variant_id,answer,person\nv0,sync,\x1b[2J\n", "line 2: the person is"),
        ("a.csv", "variant_id,answer,person\nv0,sync," + "x" * 81, "line 2: the person is"),
        ("a.csv", "variant_id,answer,seconds\nv0,sync,soon\n", "line 2: the seconds are 'soon'"),
        ("a.csv", 'variant_id,answer,seconds\nv0,sync,"3,5"\n', "line 2: the seconds are '3,5'"),
        ("a.csv", "variant_id,answer,seconds\nv0,sync,-1\n", "line 2: the seconds are '-1'"),
        ("a.csv", "variant_id,answer,seconds\nv0,sync,nan\n", "line 2: the seconds are 'nan'"),
        ("a.csv", "variant_id,answer\nv0,s\u00efnc\n".encode("latin-1"), "line 2: not UTF-8"),
        ("a.jsonl", '{"variant_id":"a","answer":3}', "line 1: the answer is 3"),
        ("a.jsonl", '{"variant_id":"a","answer":"x","person":true}', "line 1: the person is True"),
        ("a.jsonl", '{"variant_id":"a","answer":"x","person":1.5}', "line 1: the person is 1.5"),
        ("a.jsonl", '{"variant_id":"a","answer":"x","seconds":true}', "line 1: the seconds are True"),
        ("a.jsonl", '{"variant_id":"a","answer":"x","seconds":1' + "0" * 400 + "}", "line 1: the seconds are"),
        ("a.jsonl", '{"variant_id":"a","answer":"x","person":["x"]}', "line 1: the person is"),
        ("a.txt", "variant_id,answer\nv0,sync\n", "expected .csv or .jsonl"),
    ],
)
def test_bad_files_name_their_line(write, name, content, message):
    path = write(content, name)
    for ask in (make_model, lambda spec: spelled_out([spec])):
        with pytest.raises(ModelUnavailable, match=message):
            ask(f"human:{path}")


def test_no_file_and_too_many_people(write, tmp_path, monkeypatch):
    with pytest.raises(ModelUnavailable, match="human:FILE"):
        make_model("human")
    with pytest.raises(ModelUnavailable, match="No such file"):
        spelled_out([f"human:{tmp_path}/none.csv"])
    monkeypatch.setattr(human, "MOST_PEOPLE", 2)
    with pytest.raises(ModelUnavailable, match="line 5: more than 2 people"):
        spelled_out([f"human:{write(THREE)}"])


def test_numbers_are_people_too(write):
    rows = [{"variant_id": "v0", "answer": "sync", "person": number} for number in (2, 1, "2b")]
    path = write("\n".join(map(json.dumps, rows)), "a.jsonl")
    assert [spec.rpartition(":")[2] for spec in spelled_out([f"human:{path}"])] == ["2", "1", "2b"]
