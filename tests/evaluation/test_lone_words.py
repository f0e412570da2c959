"""Letters and everyday words as answers: never the article, never two, never against what the prompt says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offbeat.evaluation.question import find_question, prompt_for, shipped_questions
from offbeat.evaluation.reading.parsing import MAX_CHARACTERS, read_choice, read_reply
from offbeat.timing import LABELS

WORDS = ("B", "A", "C")
"""A = ahead, B = sync, C = behind: as shuffled for some clip."""
PROMPT = """You will watch a 5-second video with audio.
Reply with ONLY ONE letter:
A = audio earlier than video
B = audio matches video
C = audio later than video"""

READ = [
    ("A", "ahead"),
    ("B", "sync"),
    ("b", "sync"),
    ("a", "ahead"),
    ("a.", "ahead"),
    ("(a)", "ahead"),
    ("B.", "sync"),
    ("(B)", "sync"),
    ("[C]", "behind"),
    ("**B**", "sync"),
    ("B)", "sync"),
    ("'C'", "behind"),
    ("Ｃ", "behind"),
    ("\u200bC\n", "behind"),
    ("C!", "behind"),
    ("C…", "behind"),
    ("B<|im_end|>", "sync"),
    ("C \ue000", "behind"),
    ("1. C", "behind"),
    ("✅ C", "behind"),
    ("Answer: B", "sync"),
    ("**Answer:** (c)", "behind"),
    ("The answer is B", "sync"),
    ("The answer is a.", "ahead"),
    ("The answer is B because the mouth moves with the voice", "sync"),
    ("The correct answer is option C.", "behind"),
    ("My answer would be: A", "ahead"),
    ("So the answer is C", "behind"),
    ("Option B", "sync"),
    ("I choose C.", "behind"),
    ("It's C", "behind"),
    (r"\boxed{B}", "sync"),
    ("The final answer is $B$.", "sync"),
    (r"So it is \boxed{\text{A}}.", "ahead"),
    ('{"answer": "C"}', "behind"),
    ("<answer>A</answer>", "ahead"),
    ("答案是：B。", "sync"),
    ("我选B", "sync"),
    ("A = audio earlier than video", "ahead"),
    ("B: audio matches video", "sync"),
    ("C (audio later than video)", "behind"),
    ("C audio later than video", "behind"),
    ("**C.** Audio later than  video.", "behind"),
    ("Answer: A, audio earlier than video", "ahead"),
    ("B. The sound is in step.", "sync"),
    ("C. The audio is behind the video.", "behind"),
    ("A man claps, and then he sits down. The answer is C.", "behind"),
    ("A man claps.\nC", "behind"),
    ("B\n\nA dog barks when its mouth opens.", "sync"),
    ("Not A. C", "behind"),
    ("A or C? Hard to tell. Answer: C", "behind"),
    ("Answer: A\nNo, wait. Answer: B", "sync"),
    ("Answer: B. I hope that this answer is helpful", "sync"),
    ("<think>A, or C</think>B", "sync"),
    ("C, because the sound lags", "behind"),
]

NOT_READ = [
    "",
    "D",
    "AB",
    "ANSWER: AB",
    "A or B",
    "A/B",
    "A, B",
    "A and C",
    "A|B|C",
    "(A) or (B)",
    "B or C",
    "Anything but B",
    "The wrong answer is B",
    "B. Wait, no.",
    "B, just kidding",
    "B. Hmm, A maybe.",
    "B: 0.1",
    "10% B",
    "[ ] B",
    "❌ B",
    "e.g. B",
    "B, but it could be A",
    "B. C is possible too",
    "~~A~~ B",
    "not B",
    "不是B",
    "A或B",
    "Answer: not B",
    "neither A nor B",
    "B? I am unsure",
    "B?",
    "Answer: B. Answer: not B",
    "Answer: A or B",
    "The answer is a bit unclear",
    "The answer is a matter of taste",
    "Answer: A man claps before the sound",
    "A man is speaking",
    "A (bald) man is speaking",
    "a man is speaking",
    "There is a delay",
    "I see a man",
    "The guitar plays an A minor chord",
    "A-flat",
    "A flat is heard",
    "C# is heard",
    "C++",
    "A/V sync is off",
    "A's",
    "vitamin C",
    "plan B works",
    "В",  # Cyrillic
    "sync",
    "ahead",
    "audio later than video",
    "A. Audio later than video",
    "B = audio later than video",
    "C: audio matches video",
    "C. The audio is ahead of the video.",
    "Answer: A. The audio is behind.",
    "B. The audio is in step, A",
    '{"A": false, "B": true, "C": false}',
    PROMPT,
    PROMPT + "\nB",
    "<think>B",
    "x" * MAX_CHARACTERS + " B",
]


@pytest.mark.parametrize(("text", "choice"), READ)
def test_letters_read(text, choice):
    assert read_choice(text, LABELS, WORDS, prompt=PROMPT) == choice


@pytest.mark.parametrize("text", NOT_READ)
def test_letters_not_read(text):
    assert read_choice(text, LABELS, WORDS, prompt=PROMPT) is None


PLAIN = ("together", "early", "late")


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("late", "behind"),
        ("Early.", "ahead"),
        ("**TOGETHER**", "sync"),
        ("Answer: late", "behind"),
        ("The answer is early, since the clap is heard first", "ahead"),
        ("late = things are heard after they are seen", "behind"),
        ("late = things are heard before they are seen", None),
        ("late. The audio is ahead of the video.", None),
        ("A few friends sit together", None),
        ("It is late in the evening", None),
        ("early or late", None),
        ("not late", None),
        ("too-late", None),
        ("late, too-early", "behind"),
        ("early. too-early", None),
        ("behind", None),
        ("later", None),
    ],
)
def test_everyday_words(text, choice):
    prompt = "late = things are heard after they are seen\nearly = things are heard before they are seen"
    assert read_choice(text, LABELS, PLAIN, prompt=prompt) == choice


@pytest.mark.parametrize(
    ("text", "choice"),
    [("no", "off"), ("No.", "off"), ("Answer: no", "off"), ("Yes", "sync"), ("yes and no", None), ("not yes", None)],
)
def test_a_word_that_negates_may_be_an_answer(text, choice):
    assert read_choice(text, ("sync", "off"), ("yes", "no")) == choice


def test_a_short_meaning_is_no_sign_of_another_option():
    assert read_choice("No. it is odd", ("sync", "off"), ("yes", "no"), prompt="yes = it is\nno = it has not") == "off"


def test_a_meaning_may_hold_another():
    prompt = "yes = the sound is late\nno = the sound is late by an hour"
    assert read_choice("no = the sound is late by an hour", ("sync", "off"), ("yes", "no"), prompt=prompt) == "off"


def test_capitals_are_read_like_the_studys_words():
    words = ("Sync", "Ahead", "Behind")
    assert read_choice("The audio is ahead of the video.", LABELS, words) == "ahead"
    assert read_choice("not in sync", LABELS, words) is None


def test_meanings_contradict_in_the_studys_words_too():
    prompt = "ahead = audio earlier than video\nbehind = audio later than video"
    assert read_choice("ahead: audio earlier than video", LABELS, prompt=prompt) == "ahead"
    assert read_choice("ahead: audio later than video", LABELS, prompt=prompt) is None


@pytest.mark.parametrize(("stop", "outcome"), [("complete", ("ok", "sync")), ("unsure", ("unsure", "sync"))])
def test_outcomes_by_letters(stop, outcome):
    assert read_reply("B.", stop, LABELS, WORDS, prompt=PROMPT) == outcome
    assert read_reply("B.", "truncated", LABELS, WORDS) == ("truncated", None)


@pytest.mark.parametrize("question", shipped_questions().values(), ids=lambda question: question.name)
def test_every_question_is_answered_by_its_words_and_not_by_its_prompt(question, make_variant):
    for clip in "abcdef":
        prompt = prompt_for(question, make_variant(clip_id=clip))
        shown = dict(line.split(" = ", 1) for line in prompt.text.splitlines() if " = " in line)
        for option, word in zip(prompt.options, prompt.words, strict=True):
            for text in (word, word.lower(), f"{word}.", f"**{word}**", f"Answer: {word}", f"{word} = {shown[word]}"):
                assert read_choice(text, prompt.options, prompt.words, prompt=prompt.text) == option, text
            for other in set(prompt.words) - {word}:
                for text in (f"{word} or {other}", f"{word} = {shown[other]}"):
                    assert read_choice(text, prompt.options, prompt.words, prompt=prompt.text) is None, text
        assert read_choice(prompt.text, prompt.options, prompt.words, prompt=prompt.text) is None


PIECES = st.sampled_from(
    [*"ABCabc", *LABELS, *"()[]{}.:,-'\n*=", "Answer:", "the", "option", "not", "\\boxed{", "<think>", "\ue001", "或"]
)
QUESTIONS = [find_question(name) for name in ("letters", "plain", "study", "moment")]


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3))).map(" ".join)), st.sampled_from(QUESTIONS))
def test_never_raises_and_never_leaves_the_options(text, question):
    prompt = "\n".join(f"{word} = {meaning}" for word, meaning in zip(question.words, question.meanings, strict=True))
    assert read_choice(text, question.options, question.words, prompt=prompt) in {None, *question.options}


HOSTILE = ["answer: ", "a ", "b (", "(", "the ", "the answer is ", " ", "\\boxed{", "audio ", "b or ", "1 ", "b-", "\n"]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("length", [MAX_CHARACTERS - 10, 2_000_000])
def test_long_hostile_replies(unit, length):
    """A quadratic reading of these takes minutes."""
    assert read_choice(unit * (length // len(unit)) + "b or c", LABELS, WORDS, prompt=PROMPT) is None
