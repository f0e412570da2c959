"""What a probe says in words: one sentence for each verdict, what is to be known besides, and what to do."""

import pytest

from offbeat.evaluation.probe.rule import Finding
from offbeat.evaluation.probe.words import more_clips, says


def finding(verdict, *, alike=False, unmoved=0, clips=4):
    return Finding(verdict, 0.5, 0.5, 0.5, alike=alike, unmoved=unmoved, clips=clips)


def told(sound, picture, usage=None):
    return says({"sound": sound, "picture": picture}, usage or {})


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("depends", "Its answers depend on the sound and on the picture."),
        (
            "does not depend",
            "Its answers do not depend on the sound and on the picture: it makes no difference whether a clip has its "
            "sound, none, or another clip's, or whether the picture moves or stands still.",
        ),
        (
            "cannot tell",
            "Whether its answers depend on the sound and on the picture cannot be told from 4 clips: some changed, but "
            "that may be chance.",
        ),
        (
            "answers do not fit the files",
            "Its answers do not fit the files: it sooner calls clips with sound silent than silent ones, and moving "
            "pictures frozen than frozen ones. Either it is given other files than were sent, as by a server that "
            "mixes them up, or it takes the two words for one another.",
        ),
    ],
)
def test_what_holds_of_both_is_said_once(verdict, expected):
    assert told(finding(verdict), finding(verdict)) == expected


def test_each_sense_has_its_own_sentence_where_they_differ():
    assert told(finding("depends", clips=1), finding("cannot tell", clips=1)) == (
        "Its answers depend on the sound. "
        "Whether its answers depend on the picture cannot be told from 1 clip: some changed, but that may be chance."
    )


def test_what_is_to_be_known_of_one_that_passes():
    assert told(finding("depends", unmoved=1), finding("depends", alike=True)) == (
        "Its answers depend on the sound and on the picture. "
        "In 1 of 4 clips nothing that it said changed with the sound. "
        "Yet it calls moving pictures and frozen ones the same, as if it were shown a single frame."
    )


def test_tokens_that_it_did_not_read():
    said = told(finding("depends"), finding("depends"), {"plain": {"audio_tokens": 0, "video_tokens": 0}})
    assert said.endswith("no tokens of the sound. By its own count it read no tokens of the picture.")


def test_more_clips_help_only_where_it_cannot_be_told():
    unsure = {"sound": finding("cannot tell", clips=3), "picture": finding("depends")}
    assert more_clips(unsure, flag="--clips") == "--clips 6 shows it more clips, which may tell"
    assert more_clips({"sound": finding("does not depend")}, flag="--clips") is None
