"""Which clips a probe shows, how, and in which words."""

from collections import Counter
from dataclasses import replace

import pytest

from fake_dataset import write_dataset
from offbeat.errors import SettingsError
from offbeat.evaluation.probe.plan import HEARD, MOVES, choose_clips, probe_calls
from offbeat.evaluation.question import STUDY, find_question


@pytest.fixture
def variants(tmp_path):
    """5 sources, each with a clip of 3 s and one of 10 s, with 5 delays each."""
    return write_dataset(tmp_path / "set").variants


def flagged(variants, **flags):
    """The same, with flags by source: `motion=[...]` for the sources in order."""

    def row(variant):
        source = int(variant.row.source_id[1:])
        return variant.row.model_copy(update={name: values[source] for name, values in flags.items()})

    return [replace(variant, row=row(variant)) for variant in variants]


def test_each_clip_is_shown_as_it_is_and_altered(variants):
    calls = probe_calls(variants, STUDY)
    assert len(calls) == 4 * 14
    for clip in range(4):
        shown = Counter((call.asked, call.alteration) for call in calls if call.clip == clip)
        assert shown == {
            ("own", None): 2,
            ("own", "muted"): 1,
            ("own", "swapped"): 1,
            ("own", "frozen early"): 1,
            ("own", "frozen late"): 1,
            ("heard", None): 2,
            ("heard", "muted"): 2,
            ("moves", None): 2,
            ("moves", "frozen early"): 1,
            ("moves", "frozen late"): 1,
        }


def test_unshifted_clips_of_different_sources(variants):
    chosen = choose_clips(variants, 5)
    assert {variant.row.audio_delay_ms for variant in chosen} == {0.0}
    assert len({variant.row.source_id for variant in chosen}) == 5
    assert len({variant.row.clip_id for variant in choose_clips(variants, 50)}) == 10


def test_without_unshifted_ones_the_least_shifted(variants):
    shifted = [variant for variant in variants if variant.row.audio_delay_ms not in (0.0, -1000.0)]
    assert {variant.row.audio_delay_ms for variant in choose_clips(shifted, 4)} == {1000.0}


def test_much_motion_and_much_sound_come_first(variants):
    told = flagged(variants, motion=[5, 9, 1, 7, 8], onset_density=[5, 1, 9, 7, 8])
    assert [variant.row.source_id for variant in choose_clips(told, 3)] == ["s4", "s3", "s0"]


def test_still_and_silent_clips_come_last(variants):
    told = flagged(
        variants,
        motion=[9, 8, 3, 2, 1],
        onset_density=[9, 8, 3, 2, 1],
        still=[True, False, False, False, False],
        silence_share=[0.0, 0.9, 0.1, 0.0, None],
    )
    assert [variant.row.source_id for variant in choose_clips(told, 5)][:3] == ["s2", "s3", "s4"]


def test_the_swapped_sound_is_of_another_source_and_as_long(variants):
    for call in probe_calls(variants, STUDY, clips=10):
        if call.alteration == "swapped":
            assert call.other.row.source_id != call.variant.row.source_id
            assert call.other.row.clip_length_s == call.variant.row.clip_length_s


def test_a_single_clip_is_muted_instead_of_swapped(variants):
    own = [variant for variant in variants if variant.row.clip_id == variants[0].row.clip_id]
    calls = probe_calls(own, STUDY)
    assert len(calls) == 4 * 14
    assert {call.alteration for call in calls} == {None, "muted", "frozen early", "frozen late"}


def test_few_clips_are_shown_again(variants):
    two = [variant for variant in variants if variant.row.source_id in ("s0", "s1")]
    ten = [variant for variant in two if variant.row.clip_length_s == 10]
    shown = [call.variant.row.clip_id for call in probe_calls(ten, STUDY) if call.asked == "own"][::6]
    assert shown == ["c0-10", "c1-10"] * 2


def test_plain_and_altered_take_turns_and_every_other_clip_begins_altered(variants):
    calls = probe_calls(variants, STUDY)
    for asked in ("heard", "moves"):
        for clip in range(4):
            plain = [call.alteration is None for call in calls if (call.clip, call.asked) == (clip, asked)]
            assert plain == ([True, False, True, False] if clip % 2 == 0 else [False, True, False, True])


def test_a_clip_is_always_asked_in_the_same_words(variants):
    """A shuffled question depends on the clip; a frozen one must not get another order."""
    shuffled = find_question("study-shuffled")
    assert shuffled.order == "shuffled"
    texts = {}
    for call in probe_calls(variants, shuffled):
        texts.setdefault((call.clip, call.asked), set()).add((call.prompt.text, call.prompt.words))
    assert all(len(found) == 1 for found in texts.values())
    assert len({next(iter(found)) for (_, asked), found in texts.items() if asked == "own"}) > 1


def test_the_words_of_known_answers_change_places(variants):
    for asked, words in (("heard", HEARD), ("moves", MOVES)):
        prompts = {call.clip: call.prompt for call in probe_calls(variants, STUDY) if call.asked == asked}
        assert {prompt.options for prompt in prompts.values()} == {words}
        first = [prompt.text.index(words[0]) < prompt.text.index(words[1]) for prompt in prompts.values()]
        assert first == [True, False, True, False]


@pytest.mark.parametrize(("clips", "count"), [(0, 50), (4, 0)])
def test_nothing_to_show(variants, clips, count):
    with pytest.raises(SettingsError, match="one or more clips"):
        probe_calls(variants[:count], STUDY, clips=clips)
