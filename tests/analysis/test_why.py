"""Why a model answers as it does: slopes against statsmodels, calibration by hand, and every rule of the verdict."""

import dataclasses
import itertools

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from offbeat.analysis.groups import Coded
from offbeat.analysis.intervals import Estimate
from offbeat.analysis.why_calibration import Calibration, best_criterion, by_mean, calibrate
from offbeat.analysis.why_contrasts import Contrast, contrasts, within_clips
from offbeat.analysis.why_slopes import slopes, unmoved
from offbeat.analysis.why_verdict import Evidence, judge

DELAYS = np.tile(500.0 * np.arange(-4, 5), 12)
SOURCE = np.repeat(np.arange(12), 9)
TRUTH = np.where(DELAYS == 0, 0, np.where(DELAYS < 0, 1, 2))


@pytest.fixture
def knowing():
    """Prefers sync by far; its log-odds follow the delay, with noise and a level for each source."""
    rng = np.random.default_rng(3)
    seconds = DELAYS / 1000
    logits = np.stack([5 - 0.5 * np.abs(seconds), -0.8 * seconds, 0.8 * seconds], axis=1)
    return softmax(logits + rng.normal(0, 0.2, logits.shape) + rng.normal(0, 0.5, (12, 3))[SOURCE], axis=1)


def coded(choice):
    return Coded(truth=TRUTH, choice=np.asarray(choice), source=SOURCE)


def test_slopes_are_those_of_a_regression_with_a_level_for_each_source(knowing):
    found = slopes(knowing, DELAYS, SOURCE, draws=400)
    levels = (SOURCE[:, None] == np.arange(12)).astype(float)
    seconds = DELAYS / 1000
    sides = {
        "sync_by_size": (np.abs(seconds), knowing[:, 0]),
        "behind_by_delay": (seconds, knowing[:, 2] - knowing[:, 1]),
        "sync_by_size_log_odds": (np.abs(seconds), np.log(knowing[:, 0] / (1 - knowing[:, 0]))),
        "behind_by_delay_log_odds": (seconds, np.log(knowing[:, 2] / knowing[:, 1])),
    }
    for name, (x, y) in sides.items():
        theirs = sm.OLS(y, np.column_stack([x, levels])).fit().params[0]
        assert found[name].value == pytest.approx(theirs, abs=1e-12), name
        assert found[name].low < found[name].value < found[name].high
    assert found["behind_by_delay_log_odds"].low > 1.4
    assert found["sync_by_size_log_odds"].high < 0


def test_without_answers_or_delays_there_is_no_slope():
    assert slopes(np.zeros((0, 3)), np.zeros(0), np.zeros(0, int))["sync_by_size"].value is None
    one = slopes(np.full((2, 3), 1 / 3), np.array([500.0, 500.0]), np.array([0, 1]))
    assert one["behind_by_delay"].value is None


def test_the_same_probabilities_at_all_delays_of_a_clip_are_unmoved():
    p = np.repeat(np.random.default_rng(0).dirichlet([1, 1, 1], 12), 9, axis=0)
    assert unmoved(p, DELAYS, SOURCE) is True
    p[4, 0] += 1e-4
    assert unmoved(p, DELAYS, SOURCE) is False
    assert unmoved(p[:2], np.array([0.0, 500.0]), np.array([0, 1])) is None
    assert unmoved(p[:0], DELAYS[:0], SOURCE[:0]) is None


def test_calibration_divides_by_the_mean(knowing):
    assert (knowing.argmax(axis=1) == 0).all()
    expected = [int(np.argmax([p[k] / knowing[:, k].mean() for k in range(3)])) for p in knowing]
    assert by_mean(knowing).tolist() == expected
    found = calibrate(coded(knowing.argmax(axis=1)), knowing, draws=400)
    assert found.by_mean.value == pytest.approx(balanced_accuracy_score(TRUTH, expected), abs=1e-12)
    assert found.words.value == pytest.approx(1 / 3)
    assert found.gain.value == pytest.approx(found.elsewhere.value - found.words.value)
    assert found.gain.low > 0.05
    assert found.hindsight >= found.elsewhere.value


def test_the_best_criterion_is_at_least_as_good_as_any_tried_at_random(knowing):
    best, held_out = best_criterion(coded(np.zeros_like(TRUTH)), knowing)
    rng = np.random.default_rng(0)
    tried = [(np.log(knowing) + np.array([0, *rng.uniform(0, 9, 2)])).argmax(axis=1) for _ in range(300)]
    assert best > np.quantile([balanced_accuracy_score(TRUTH, choice) for choice in tried], 0.99) - 0.01
    assert balanced_accuracy_score(TRUTH, held_out) > 0.5


def test_a_criterion_for_a_source_does_not_use_its_truths(knowing):
    """Whoever knows nothing gains in hindsight, and nothing on other sources."""
    rng = np.random.default_rng(1)
    tried = [best_criterion(coded(TRUTH), rng.dirichlet([1, 1, 1], TRUTH.size)) for _ in range(20)]
    assert np.mean([best for best, _ in tried]) > 0.4
    assert np.mean([balanced_accuracy_score(TRUTH, held_out) for _, held_out in tried]) < 0.38
    one = calibrate(Coded(truth=TRUTH[:9], choice=TRUTH[:9] * 0, source=SOURCE[:9]), knowing[:9])
    assert one.elsewhere is None
    assert one.hindsight is not None


def test_contrasts_are_areas_and_shares(knowing):
    from_p = contrasts(coded(np.zeros_like(TRUTH)), DELAYS, SOURCE, knowing, draws=400)
    small = np.abs(DELAYS) <= 1000
    shifted = small & (TRUTH > 0)
    area = roc_auc_score(TRUTH[small] > 0, 1 - knowing[small, 0])
    assert from_p["small"].detection.value == pytest.approx(area, abs=1e-12)
    rather = knowing[:, 2] - knowing[:, 1]
    assert from_p["large"].direction.value == pytest.approx(
        roc_auc_score(TRUTH[np.abs(DELAYS) > 1000] == 2, rather[np.abs(DELAYS) > 1000]), abs=1e-12
    )
    assert from_p["small"].directs
    assert shifted.any()
    from_words = contrasts(coded(TRUTH), DELAYS, SOURCE, draws=400)
    assert from_words["small"].detection.value == 1
    assert from_words["small"].detects
    assert list(contrasts(coded(TRUTH), DELAYS / 4, SOURCE, draws=400)) == ["small"]
    turned = contrasts(coded(np.array([0, 2, 1])[TRUTH]), DELAYS, SOURCE, draws=400)["small"]
    assert turned.reversed
    assert turned.directs


def test_the_permutation_test_is_that_of_all_permutations():
    """Three clips of four variants: the variance of T over all orders, and scipy's own ranks for one clip."""
    rng = np.random.default_rng(0)
    true, said = rng.integers(0, 2, 12).astype(float), rng.normal(size=12)
    clip = np.repeat([0, 1, 2], 4)
    of_orders = [
        [np.dot(true[clip == k] - true[clip == k].mean(), order) for order in itertools.permutations(said[clip == k])]
        for k in range(3)
    ]
    total = sum(orders[0] for orders in of_orders)
    assert within_clips(true, said, clip) == pytest.approx(total / np.sqrt(sum(np.var(o) for o in of_orders)))
    assert within_clips(true, np.ones(12), clip) == 0.0
    ranks = scipy.stats.rankdata(said)
    theirs = scipy.stats.mannwhitneyu(
        said[true == 1], said[true == 0], method="asymptotic", use_continuity=False, alternative="greater"
    )
    z = within_clips(true, ranks, np.zeros(12, int))
    assert scipy.stats.norm.sf(z) == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.parametrize("probable", [False, True])
def test_who_repeats_himself_has_said_nothing_new(knowing, probable):
    """Each answer three times, in any order: the tests are those of one answer each, to the last digit."""
    rng = np.random.default_rng(5)
    choice = rng.integers(0, 4, TRUTH.size)

    def found(order):
        answers = Coded(truth=TRUTH[order], choice=choice[order], source=SOURCE[order])
        given = knowing[order] if probable else None
        clip, variant = SOURCE[order], np.arange(TRUTH.size)[order]
        told = contrasts(answers, DELAYS[order], clip, given, variant=variant, draws=50).values()
        return [(one.detection_p, one.direction_p, one.detection_reach, one.direction_reach) for one in told]

    once = found(np.arange(TRUTH.size))
    again = found(rng.permutation(np.repeat(np.arange(TRUTH.size), 3)))
    assert again == [pytest.approx(one, rel=1e-9) for one in once]


def figure(value, low, high):
    return Estimate(value=value, low=low, high=high, n_sources=20)


NO = Contrast(figure(0.0, -0.1, 0.1), figure(0.5, 0.4, 0.6), 0.0, 0.4, 0.9)
NOT_ASKED = Contrast(figure(None, None, None), figure(None, None, None), 0.0, 0.5, 1.0)
BOTH = Contrast(figure(0.5, 0.4, 0.6), figure(0.9, 0.8, 1.0), 0.0, 1e-9, 1e-9)
UNSURE = dataclasses.replace(BOTH, detection_p=0.02, direction_p=0.02)
SHIFTS = Contrast(figure(0.5, 0.4, 0.6), figure(0.5, 0.4, 0.6), 0.0, 1e-9, 0.9)
TURNED = Contrast(figure(0.5, 0.4, 0.6), figure(0.1, 0.0, 0.2), 0.0, 1e-9, 1e-9)
FEW = dataclasses.replace(NO, detection_reach=0.04, direction_reach=0.04)
OUT_OF_REACH = dataclasses.replace(UNSURE, detection_p=0.9, direction_p=1.0, direction_reach=1.0)
FEW_NOTICED = dataclasses.replace(SHIFTS, direction_reach=0.04)
GAIN = Calibration(
    figure(0.4, 0.3, 0.5), figure(0.5, 0.4, 0.6), figure(0.6, 0.5, 0.7), 0.7, figure(0.2, 0.1, 0.3), (1, 1, 1)
)
NO_GAIN = dataclasses.replace(GAIN, gain=figure(0.02, 0.01, 0.03))


def evidence(words, probabilities=None, **changes):
    """Contrasts of small and of large delays."""
    parts = [
        {} if pair is None else dict(zip(("small", "large"), pair, strict=True)) for pair in (words, probabilities)
    ]
    fields = {"calibration": None, "excess": {}, "unmoved": None, "probe_sound": None, "probe_picture": None}
    return Evidence(words=parts[0], probabilities=parts[1], **(fields | changes))


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (evidence((NOT_ASKED, NOT_ASKED)), "cannot be told"),
        (evidence((NO, NO), (NO, NO), unmoved=True), "deaf"),
        (evidence((NO, NO), probe_sound="does not depend"), "deaf"),
        (evidence((NO, NO), probe_picture="does not depend"), "blind"),
        (evidence((NO, NO), probe_sound="cannot tell"), "insensitive"),
        (evidence((NO, NO), (NO, NO), unmoved=False), "insensitive"),
        (evidence((UNSURE, UNSURE)), "insensitive"),
        (evidence((FEW, FEW)), "cannot be told"),
        (evidence((FEW, NO)), "insensitive"),
        (evidence((OUT_OF_REACH, NO)), "cannot be told"),
        (evidence((NO, NO), (OUT_OF_REACH, NO), probe_sound="does not depend"), "deaf"),
        (evidence((FEW, FEW), (FEW, FEW), unmoved=True), "deaf"),
        (evidence((FEW, BOTH)), "sensitive"),
        (evidence((FEW_NOTICED, FEW_NOTICED)), "sensitive"),
        (evidence((NO, BOTH)), "sensitive to large delays only"),
        (evidence((NO, NO), (NO, BOTH)), "sensitive to large delays only"),
        (evidence((NO, NO), (BOTH, BOTH)), "biased but sensitive"),
        (evidence((BOTH, BOTH), (BOTH, BOTH), calibration=GAIN), "biased but sensitive"),
        (evidence((BOTH, BOTH), (BOTH, BOTH), calibration=NO_GAIN), "sensitive"),
        (evidence((BOTH, BOTH), excess={"sync": figure(0.4, 0.3, 0.5)}), "biased but sensitive"),
        (evidence((BOTH, BOTH), excess={"sync": figure(0.3, 0.2, 0.4)}), "sensitive"),
        (evidence((SHIFTS, SHIFTS)), "sensitive to shifts, not to their direction"),
        (evidence((BOTH, BOTH), probe_sound="does not depend"), "sensitive"),
    ],
)
def test_each_rule_gives_its_verdict(seen, verdict):
    assert judge(seen)[0] == verdict


def test_the_wrong_way_round_is_told():
    assert "takes early for late" in judge(evidence((TURNED, TURNED)))[1]
    only_large = Evidence({"large": BOTH}, {}, None, {}, None, None, None)
    assert judge(only_large)[0] == "sensitive"


@pytest.mark.parametrize("sources", [2, 3, 4, 8])
@pytest.mark.parametrize("delays", [3, 5, 9])
def test_nothing_is_denied_of_a_perfect_observer_however_few_the_answers(sources, delays):
    delay_ms = np.tile(1000.0 * np.arange(-(delays // 2), delays // 2 + 1), sources)
    truth = np.where(delay_ms == 0, 0, np.where(delay_ms < 0, 1, 2))
    source = np.repeat(np.arange(sources), delays)
    found = verdict_of(Coded(truth=truth, choice=truth, source=source), delay_ms)
    assert found in ("cannot be told", "sensitive")
    assert verdict_of(Coded(truth=truth, choice=np.full(truth.size, 3), source=source), delay_ms) == "cannot be told"
    constant = verdict_of(Coded(truth=truth, choice=np.zeros(truth.size, int), source=source), delay_ms)
    assert constant == ("insensitive" if found == "sensitive" else "cannot be told")


def verdict_of(answers, delay_ms):
    return judge(Evidence(contrasts(answers, delay_ms, answers.source, draws=200), {}, None, {}, None, None, None))[0]
