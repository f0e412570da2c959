"""What is read out of a reply, and what must never be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offbeat.evaluation.question import STUDY
from offbeat.evaluation.reading.parsing import MAX_CHARACTERS, read_choice, read_reply
from offbeat.timing import LABELS

WRITTEN = STUDY.template.replace(
    "{options}", "\n".join(f"{word} = {meaning}" for word, meaning in zip(STUDY.words, STUDY.meanings, strict=True))
)
"""The prompt itself, echoed."""

READ = [
    ("sync", "sync"),
    ("Sync", "sync"),
    ("AHEAD", "ahead"),
    (" behind \n", "behind"),
    ("sync.", "sync"),
    ("Behind!", "behind"),
    ('"ahead"', "ahead"),
    ("'sync'", "sync"),
    ("“ahead”", "ahead"),
    ("«behind»", "behind"),
    ("**sync**", "sync"),
    ("__behind__", "behind"),
    ("`ahead`", "ahead"),
    ("```\nahead\n```", "ahead"),
    ("# Behind", "behind"),
    ("- sync", "sync"),
    ("1. ahead", "ahead"),
    ("> behind", "behind"),
    ("(sync)", "sync"),
    ("[ahead]", "ahead"),
    ("<b>behind</b>", "behind"),
    ("ｓｙｎｃ", "sync"),
    ("\ufeffahead", "ahead"),
    ("sy\u200bnc\u200b", "sync"),
    ("be\u00adhind", "behind"),
    ("sync\u00a0", "sync"),
    ("sync sync", "sync"),
    ("behind\n\nbehind.", "behind"),
    ("The answer is ahead", "ahead"),
    ("Answer: behind.", "behind"),
    ("**Answer:** sync", "sync"),
    ("ANSWER:\n\n**Behind**", "behind"),
    ("Final answer - ahead", "ahead"),
    ("My answer would be behind.", "behind"),
    ("Audio and video appear to be in sync.", "sync"),
    ("It looks like the audio is in sync with the video.", "sync"),
    ("The audio is delayed, so: behind", "behind"),
    ("The audio appears to be ahead of the video.", "ahead"),
    ("<answer>sync</answer>", "sync"),
    (r"So it is \boxed{ahead}.", "ahead"),
    (r"\boxed{\text{behind}}", "behind"),
    ('{"answer": "sync"}', "sync"),
    ("Could be ahead or behind. Answer: ahead", "ahead"),
    ("sync = audio matches video\nahead = audio earlier than video\nAnswer: behind", "behind"),
    ("Answer: ahead\nNo, wait. Answer: behind", "behind"),
    ("Answer: behind. I hope that this answer is helpful", "behind"),
    ("ahead = audio earlier than video", "ahead"),
    ("behind: audio later than video", "behind"),
    ("sync (95 %)", "sync"),
    ("In sync.", "sync"),
    ("in-sync", "sync"),
    ("The audio is ahead of the video by about two seconds.", "ahead"),
    ("The sound lags behind the picture.", "behind"),
    ("In this video the audio comes ahead.", "ahead"),
    ("The audio and video are not in sync. The audio is ahead.", "ahead"),
    ("Not ahead but behind", "behind"),
    ("Therefore, the audio is 2.5 seconds behind the video.", "behind"),
    ("I'd say the sound and the picture are perfectly in sync.", "sync"),
    ("sync\n\nThere is no noticeable delay.", "sync"),
    ("ahead\n\nThe clap is heard before the hands meet, so the audio is ahead.", "ahead"),
    ("I'm not sure, but sync", "sync"),
    ("<think>It may be ahead, or behind.</think>sync", "sync"),
    ("<THINK>ahead</THINK>\n\nBehind", "behind"),
    ("it may be ahead\n</think>\nbehind", "behind"),
    ("<think>" + "ahead or behind? " * 10_000 + "</think>sync", "sync"),
    ("答案是sync。", "sync"),
    ("答え：ahead", "ahead"),
    ("✅ sync", "sync"),
    ("sync<|im_end|>", "sync"),
    ("A chef stands behind a counter.\nsync", "sync"),
]

NOT_READ = [
    "",
    " ",
    "\n",
    "maybe",
    "yes",
    "0",
    "synchronised",
    "synchronized",
    "syncing",
    "synced",
    "unsynced",
    "async",
    "desync",
    "out of sync",
    "out-of-sync",
    "out_of_sync",
    "not in sync",
    "not sync",
    "Not in sync.",
    "isn't in sync",
    "isn’t in sync",
    "isnt sync",
    "no sync",
    "non-sync",
    "a-sync",
    "sync? no",
    "Sync: no",
    "is_sync: false",
    "The sync is off by a second",
    "There is a sync problem",
    "lacks sync",
    "nicht sync",
    "不是sync",
    "sync ではない",
    "far from sync",
    "Anything but sync",
    "everything except ahead",
    "rarely in sync",
    "almost in sync",
    "sync can be excluded",
    "I would rule out sync",
    "The opposite of ahead",
    "The wrong answer is ahead",
    "keineswegs ahead",
    "senkron değil: sync değil",
    "sync 아님",
    "别选sync",
    "sync ❌",
    "~~sync~~",
    "<del>ahead</del>",
    "[ ] ahead",
    "Sync?",
    "0% sync",
    "ahead by 0 ms",
    "behind by -1 s",
    "behind = audio earlier",
    "ahead = video earlier than audio",
    "The audio lags and the video is ahead",
    "not only ahead but behind",
    "User: sync",
    "The title says ahead",
    "He looks ahead",
    "sync. Just kidding.",
    "sync. I'm not sure.",
    "ahead. That is wrong.",
    "behind. Wait, no.",
    "ahead or behind",
    "sync, ahead",
    "sync/ahead/behind",
    "sync|ahead|behind",
    "sync. Actually, ahead",
    "~~sync~~ ahead",
    "neither ahead nor behind",
    "The audio is not ahead",
    "I cannot tell whether it is ahead",
    "If the audio were ahead, lips would lag",
    "It is unclear: ahead?",
    "The audio is out of sync.\nsync",
    "The video is behind",
    "The video lags behind the audio",
    "The picture is ahead of the sound",
    "A chef stands behind a counter",
    "Sure, go ahead and send me the video",
    "<think>sync",
    "sync <think>but is it",
    "<think>a</think><think>sync",
    "<think>sync</think>",
    "Answer:",
    "Answer: not sync",
    "Answer: ahead or behind",
    "Answer: ahead. Answer: not ahead",
    "ahead" * 3,
    "s y n c",
    "sуnc",  # the second letter is Cyrillic
    "sýnc",
    "sync1",
    '{"sync": false, "ahead": true, "behind": false}',
    '{"sync": 0.1, "ahead": 0.8, "behind": 0.1}',
    "I'm sorry, I can't watch videos.",
    "x" * MAX_CHARACTERS + " sync",
    WRITTEN,
    WRITTEN + "\nsync",
]


@pytest.mark.parametrize(("text", "choice"), READ)
def test_read(text, choice):
    assert read_choice(text, LABELS) == choice


@pytest.mark.parametrize("text", NOT_READ)
def test_not_read(text):
    assert read_choice(text, LABELS) is None


@pytest.mark.parametrize(
    ("text", "stop", "expected"),
    [
        ("sync", "complete", ("ok", "sync")),
        ("hm", "complete", ("unparsed", None)),
        ("behind", "unsure", ("unsure", "behind")),
        ("", "unsure", ("unsure", None)),
        ("sync", "refused", ("refused", None)),
        ("sync", "truncated", ("truncated", None)),
    ],
)
def test_outcomes(text, stop, expected):
    assert read_reply(text, stop, LABELS) == expected


PIECES = st.sampled_from(
    [
        *LABELS,
        "Answer:",
        "<think>",
        "</think>",
        "not",
        "n't",
        "**",
        "`",
        "\n",
        ".",
        "-",
        "'",
        "\u200b",
        "不",
        "\\boxed{",
    ]
)


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3))).map("".join)))
def test_never_raises_and_never_leaves_the_options(text):
    assert read_choice(text, LABELS) in {None, *LABELS}


@given(st.text("bcdfgjklmpqrtvwxyzäçéñøşжкш語", min_size=3, max_size=9), st.sampled_from(LABELS))
def test_a_word_that_nobody_knows_may_turn_an_option_round(word, option):
    """As *far from*, *kaum* or *değil* do; no list of those could be complete."""
    for text in (f"{word} {option}", f"{option} {word}", f"The audio is {word} {option} of the video."):
        assert read_choice(text, LABELS) is None, text


OPENINGS = [
    "",
    " ",
    "**",
    "`",
    '"',
    "“",
    "(",
    "# ",
    "- ",
    "1. ",
    "\n\n",
    "Answer: ",
    "The answer is ",
    "<think>no</think>",
]


@given(
    st.sampled_from([choice for _, choice in READ]),
    st.sampled_from([str.lower, str.upper, str.title]),
    st.lists(st.sampled_from(OPENINGS), max_size=4),
    st.lists(
        st.sampled_from(["", ".", "!", "**", "`", '"', "”", ")", "\n", " ", "…", "\u200b", "<|im_end|>"]), max_size=4
    ),
)
def test_decorations_change_nothing(choice, case, before, after):
    assert read_choice("".join(before) + case(choice) + "".join(after), LABELS) == choice


HOSTILE = ["answer ", "answer:", "<", "<think>", "behind the ", "in-", "a'", " ", "\u200b", "不", "*", "ahead "]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("length", [MAX_CHARACTERS, 2_000_000])
def test_long_hostile_replies(unit, length):
    """A quadratic reading of these takes minutes."""
    assert read_choice(unit * (length // len(unit)) + "ahead behind", LABELS) is None
