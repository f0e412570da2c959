"""What the servers of bad days tell beside their answers, and what those of good days do."""

from dataclasses import replace

import pytest

from fake_dataset import write_dataset
from offbeat.evaluation.answer import Answer
from offbeat.evaluation.oddities import oddities
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.status import run_status
from offbeat.models.base import Reply


@pytest.fixture
def rows(tmp_path):
    """Clips of 3 and of 10 s, of 5 sources, with 5 delays each."""
    return {variant.row.variant_id: variant.row for variant in write_dataset(tmp_path / "set").variants}


def told(row, *, repeat=0, sound=25, seen=None):
    """As of a server in good order: 250 tokens a second for the picture, and 25 for the sound."""
    length_s = row.clip_length_s
    tokens = int(length_s * (250 + sound)) + 90
    usage = {"input_tokens": tokens, "audio_tokens": int(length_s * sound), "output_tokens": 2}
    details = {"id": f"chatcmpl-{row.variant_id}-{repeat}", "system_fingerprint": "vllm-0.31", "provider": "a"}
    return Answer(
        model="m", revision="1", variant_id=row.variant_id, question="study", repeat=repeat, key="k", prompt="?",
        system=None, options={"sync": "sync"}, outcome="ok", choice="sync", text="sync", probabilities=None,
        usage=usage if seen is None else seen, details=details, error=None, asked_at="2026-11-23T00:00:00.000+00:00",
        seconds=1.0,
    )  # fmt: skip


def test_a_server_in_good_order_is_beyond_doubt(rows):
    answers = [told(row, repeat=repeat) for row in rows.values() for repeat in range(3)]
    wobbling = [
        replace(a, usage={**a.usage, "input_tokens": a.usage["input_tokens"] + n % 3}) for n, a in enumerate(answers)
    ]
    silent = [replace(answer, usage={}, details={}) for answer in answers]
    one_id = [replace(answer, details={"id": "chatcmpl-1"}) for answer in answers]
    failed = [replace(told(row, sound=0), outcome="error") for row in list(rows.values())[:9]]
    for good in (answers, wobbling, silent, one_id, answers + failed, []):
        assert oddities(good, rows) == []


def test_what_was_asked_twice_and_what_was_refused_casts_no_doubt(rows):
    """A reply cut off is asked for once more, and counts both; a clip that a filter refuses may count nothing."""
    answers = [told(row) for row in rows.values()]
    twice = {name: 2 * count for name, count in answers[0].usage.items()}
    again = replace(answers[0], outcome="truncated", usage=twice, details={**answers[0].details, "calls": 2})
    refused = replace(answers[1], outcome="refused", usage={"input_tokens": 9, "output_tokens": 0})
    assert oddities([again, refused, *answers[2:]], rows) == []


def test_a_genre_that_is_refused_is_named(rows):
    """Else its accuracy of 0 would be taken for deafness."""
    answers = [told(row) for row in rows.values()]
    genres = sorted({row.genre for row in rows.values()})
    filtered = [replace(a, outcome="refused") if rows[a.variant_id].genre == genres[0] else a for a in answers]
    times = sum(answer.outcome == "refused" for answer in filtered)
    assert oddities(iter(filtered), rows) == [
        f"{times} of its 50 answers were refused, as by a filter, and count as wrong; half or more of them in "
        f"{genres[0]} ({times} of {times})."
    ]
    assert oddities([replace(answers[0], outcome="refused"), *answers[1:]], rows) == []


def test_answers_that_were_cut_off_are_told_with_what_to_do(rows):
    answers = [replace(told(row), outcome="truncated") for row in rows.values()]
    (sentence,) = oddities(answers, rows)
    assert sentence == (
        "50 of its 50 answers were cut off by the output budget (a larger one, or less thinking, lets it finish), and "
        "count as wrong."
    )


def test_a_server_that_drops_the_sound_of_some_calls_counts_fewer_tokens(rows):
    uncounted = {"audio_tokens": None}
    answers = [told(row, sound=0 if n % 5 == 0 else 25) for n, row in enumerate(rows.values())]
    answers = [replace(answer, usage={**answer.usage, **uncounted}) for answer in answers]
    (sentence,) = oddities(answers, rows)
    assert "for 10 of its 50 answers than for others about the same clip (clips: 10)" in sentence


def test_a_server_that_cuts_long_clips_counts_fewer_for_them(rows):
    answers = [told(row) for row in rows.values()]
    cut = {"input_tokens": 800, "output_tokens": 2}
    answers = [
        replace(a, usage=cut if rows[a.variant_id].clip_length_s == 10 else {**a.usage, "audio_tokens": None})
        for a in answers
    ]
    (sentence,) = oddities(answers, rows)
    assert sentence.startswith("Clips of 10 s took fewer tokens than those of 3 s (800 and 915)")


def test_a_server_that_counts_no_sound_now_and_then(rows):
    answers = [told(row) for row in rows.values()]
    for n in range(0, 50, 7):
        answers[n] = replace(answers[n], usage={"input_tokens": answers[n].usage["input_tokens"]})
    (sentence,) = oddities(answers, rows)
    assert "for 42 of its answers, and not for 8: it may" in sentence
    for n, row in enumerate(rows.values()):
        answers[n] = told(row) if row.clip_length_s == 3 else told(row, seen={"input_tokens": 3500})
    (sentence,) = oddities(answers, rows)
    assert "for 25 of its answers, and not for 25 (clips of 10 s alone): it may" in sentence


def test_a_cache_hands_out_repeats_again(rows):
    answers = [told(row, repeat=repeat) for row in rows.values() for repeat in range(5)]
    answers = [replace(a, details={"id": f"chatcmpl-{a.variant_id}-{a.repeat // 3}"}) for a in answers]
    (sentence,) = oddities(answers, rows)
    assert "150 of its 250 answers bear the id" in sentence


def test_several_servers_and_providers_are_named(rows):
    answers = [told(row) for row in rows.values()]
    answers = [
        replace(a, details={"served_model": f"v{n % 2}", "system_fingerprint": f"f{n % 2}", "provider": f"p{n % 6}"})
        for n, a in enumerate(answers)
    ]
    assert oddities(answers, rows) == [
        "Its answers come from several versions of the model: v0 (25), v1 (25).",
        "Its answers come from several fingerprints of the server: f0 (25), f1 (25).",
        "Its answers come from several providers: p0 (9), p1 (9), p2 (8), p3 (8) and 2 more.",
    ]


def test_a_server_that_begins_to_tell_is_another_version(rows):
    answers = [told(row) for row in rows.values()]
    answers[:20] = [replace(answer, details={**answer.details, "system_fingerprint": None}) for answer in answers[:20]]
    assert oddities(answers, rows) == [
        "Its answers come from several fingerprints of the server: vllm-0.31 (30), none told (20)."
    ]


def test_the_status_tells_of_it(tmp_path):
    class Halved:
        name, revision, looks = "halved", "1", False

        def reply(self, variant, prompt):
            deaf = variant.row.audio_delay_ms > 1000
            return Reply(prompt.words[0], usage={"input_tokens": 800 if deaf else 900, "output_tokens": 1})

    run_models(write_dataset(tmp_path / "set"), [Halved()], out=tmp_path / "run")
    (model,) = run_status(tmp_path / "run").models
    (sentence,) = model.oddities
    assert "10 of its 50 answers" in sentence
