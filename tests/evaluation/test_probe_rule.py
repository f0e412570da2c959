"""The rule of the probe, on made-up replies: who passes, who does not, and how often it errs."""

import numpy as np
import pytest
from probe_said import OPTIONS, moves, said_by, sounds, truth

from offbeat.evaluation.probe.rule import ALPHA, find, repeated
from offbeat.timing import LABELS


def verdicts(said):
    return find(said, "sound").verdict, find(said, "picture").verdict


def honest(clip, asked, alteration, turn):
    return "sync" if asked == "own" else truth(asked, alteration)


def deaf(clip, asked, alteration, turn):
    return "audible" if asked == "heard" else honest(clip, asked, alteration, turn)


def blind(clip, asked, alteration, turn):
    return "moving" if asked == "moves" else honest(clip, asked, alteration, turn)


def always_sync_with_chances(clip, asked, alteration, turn):
    shift = 0.01 * clip + 0.002 * sounds(alteration) + 0.03 * (alteration == "swapped") + 0.005 * moves(alteration)
    shift += 0.004 * (alteration == "frozen late")
    return {"sync": 0.9 - shift, "ahead": 0.1, "behind": shift}


def test_one_that_hears_and_sees():
    assert verdicts(said_by(honest)) == ("depends", "depends")


def test_a_deaf_one_and_a_blind_one():
    assert verdicts(said_by(deaf)) == ("does not depend", "depends")
    assert verdicts(said_by(blind)) == ("depends", "does not depend")


def test_always_sync_with_probabilities_that_move():
    assert verdicts(said_by(always_sync_with_chances, asked=("own",))) == ("depends", "depends")


def test_always_sync_without():
    assert verdicts(said_by(lambda *_: "sync", asked=("own",))) == ("does not depend", "does not depend")
    assert verdicts(said_by(lambda *_: "sync")) == ("does not depend", "does not depend")


def test_probabilities_that_differ_in_the_last_places_are_the_same():
    def noise(clip, asked, alteration, turn):
        return {"sync": 0.5 + turn * 1e-9, "ahead": 0.2}

    assert verdicts(said_by(noise, asked=("own",))) == ("does not depend", "does not depend")
    assert repeated(said_by(noise, asked=("own",))) == (4, 4)


def test_one_that_takes_the_opposite_for_the_truth():
    def opposite(clip, asked, alteration, turn):
        first, second = OPTIONS[asked][:2]
        return second if truth(asked, alteration) == first else first

    def answers(clip, asked, alteration, turn):
        return "sync" if asked == "own" else opposite(clip, asked, alteration, turn)

    assert verdicts(said_by(answers)) == ("answers do not fit the files",) * 2


def test_words_of_its_own_for_silence_are_no_proof_of_deafness():
    def talks(clip, asked, alteration, turn):
        return "there is music" if sounds(alteration) else "no noise here" if asked == "heard" else "sync"

    assert find(said_by(talks), "sound").verdict == "cannot tell"


def heard_in(clips, own="sync"):
    """Right about the sound of these clips; of the others it calls everything audible."""

    def model(clip, asked, alteration, turn):
        if asked == "own":
            return LABELS[turn % 2] if own is None else own
        return truth(asked, alteration) if clip in clips or asked == "moves" else "audible"

    return model


def test_a_test_that_cannot_be_telling_takes_no_share_of_the_level():
    """Two clips of four: 1 in 36, which is below 5 % and above half of it."""
    steady, changing = find(said_by(heard_in({0, 1})), "sound"), find(said_by(heard_in({0, 1}, own=None)), "sound")
    assert steady.truth == changing.truth == pytest.approx(1 / 36)
    assert (steady.verdict, changing.verdict) == ("depends", "cannot tell")


def test_clips_in_which_nothing_changed_are_counted():
    found = find(said_by(heard_in({0, 1, 3})), "sound")
    assert (found.verdict, found.unmoved, found.clips, found.alike) == ("depends", 1, 4, False)
    assert find(said_by(honest), "sound").unmoved == 0


def test_one_that_is_shown_a_single_frame_calls_moving_and_frozen_alike():
    def one_frame(clip, asked, alteration, turn):
        return always_sync_with_chances(clip, asked, alteration, turn) if asked == "own" else "frozen"

    found = find(said_by(one_frame), "picture")
    assert (found.verdict, found.alike, found.unmoved) == ("depends", True, 0)


def test_a_single_clip_can_show_deafness_but_not_hearing():
    assert verdicts(said_by(deaf, clips=1)) == ("does not depend", "cannot tell")
    assert verdicts(said_by(honest, clips=3)) == ("depends", "depends")


def rates(make, *, rounds, seed, **options):
    """How often the sound, and how often both, are called telling."""
    rng = np.random.default_rng(seed)
    found = [verdicts(said_by(make(rng), **options)) for _ in range(rounds)]
    return sum(f[0] == "depends" for f in found) / rounds, sum(f == ("depends", "depends") for f in found) / rounds


def dice(favourite):
    """Answers with no regard to the clip: the first option that often, else any."""

    def make(rng):
        def model(clip, asked, alteration, turn):
            options = OPTIONS[asked]
            return options[0] if rng.random() < favourite else options[rng.integers(len(options))]

        return model

    return make


def with_mistakes(share, own=None):
    """Right about what it hears and sees, but for this share; its own answers are dice."""

    def make(rng):
        def model(clip, asked, alteration, turn):
            if asked == "own":
                return LABELS[rng.integers(3)]
            return OPTIONS[asked][rng.integers(2)] if rng.random() < 2 * share else truth(asked, alteration)

        return model

    return make


@pytest.mark.parametrize("asked", [("own",), ("own", "heard", "moves")], ids=["own alone", "all"])
@pytest.mark.parametrize("favourite", [0.0, 0.5, 0.85])
def test_dice_pass_no_more_often_than_the_rule_says(favourite, asked):
    rounds = 600
    sound, both = rates(dice(favourite), rounds=rounds, seed=1, asked=asked)
    assert sound <= ALPHA + 3 * (ALPHA * (1 - ALPHA) / rounds) ** 0.5
    assert both <= 0.025


def test_dice_are_not_found_to_be_deaf_either_and_mixed_up_rarely():
    rng = np.random.default_rng(3)
    found = [find(said_by(dice(0)(rng)), "sound").verdict for _ in range(400)]
    assert found.count("cannot tell") > 0.9 * len(found)
    assert found.count("answers do not fit the files") < 0.04 * len(found)


def test_any_difference_would_be_no_rule():
    """The figures in the module's docstring: a deaf one that says sync nine times out of ten."""
    rng, rounds, steady, passed = np.random.default_rng(5), 4000, 0, 0
    for _ in range(rounds):
        sync = rng.random((4, 4)) < 0.9
        repeats = (sync[:, 0] == sync[:, 1]).all()
        steady += repeats
        passed += repeats and (sync[:, 2:] != sync[:, :1]).any()
    assert steady / rounds == pytest.approx(0.452, abs=0.025)
    assert passed / rounds == pytest.approx(0.267, abs=0.025)


@pytest.mark.parametrize(("share", "clips", "at_least"), [(0.0, 4, 1.0), (0.05, 4, 0.9), (0.1, 4, 0.7), (0.1, 8, 0.97)])
def test_one_that_hears_and_errs_passes(share, clips, at_least):
    sound, _ = rates(with_mistakes(share), rounds=300, seed=2, clips=clips)
    assert sound >= at_least
