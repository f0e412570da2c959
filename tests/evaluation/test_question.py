"""The study's prompt, letter by letter."""

import pytest

from offbeat.evaluation.question import STUDY, Question, prompt_for

WORD_FOR_WORD = """\
You will watch a 10-second video with audio.
Reply with ONLY ONE word:
sync = audio matches video
ahead = audio earlier than video
behind = audio later than video"""


def test_the_prompt_is_the_studys(make_variant):
    prompt = prompt_for(STUDY, make_variant(clip_length_s=10.0))
    assert prompt.text == WORD_FOR_WORD
    assert prompt.options == ("sync", "ahead", "behind")


@pytest.mark.parametrize(("length_s", "written"), [(3, "3"), (5.0, "5"), (7.0, "7"), (2.5, "2.5"), (120.0, "120")])
def test_lengths_are_written_as_the_study_does(make_variant, length_s, written):
    prompt = prompt_for(STUDY, make_variant(clip_length_s=length_s))
    assert prompt.text.startswith(f"You will watch a {written}-second video")


def test_other_braces_in_a_template_are_left_alone(make_variant):
    question = Question("json", 'Reply with {"answer": ...} for {length} s', ("yes", "no"))
    assert prompt_for(question, make_variant(clip_length_s=3.0)).text == 'Reply with {"answer": ...} for 3 s'


@pytest.mark.parametrize("options", [("sync",), ("sync", "sync"), ("in sync", "ahead"), ("Sync", "ahead"), ()])
def test_options_are_distinct_plain_words(options):
    with pytest.raises(ValueError, match="option"):
        Question("q", "?", options)
