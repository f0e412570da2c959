"""Two models on the same sources: is one better, and which difference would have been found?

A source gives one number: the difference of the two models' scores on its variants. Sources are independent of each
other, so that Student's t applies to these S numbers, and so does the randomisation test that turns their signs about
(if neither model is better, either sign was as likely). Both are computed; where they disagree, there are few sources
or one far from the others, and the second is to be believed. Where all sources differ by the same, t has no spread
to go by (two such sources would give p = 0), and its p-value is that of the randomisation test.

``t = mean / (sd / sqrt(S))`` on S - 1 degrees of freedom. The randomisation test counts the assignments of signs whose
|sum| is at least the one observed: all 2^S of them up to 16 sources (exact), else 10,000 drawn ones, the observed
one among them, so that p is never 0.

The smallest detectable difference is the true mean difference that a two-sided t-test at alpha finds with the given
power, if the standard deviation is the one observed: delta sqrt(S) / sd is the non-centrality at which
``P(|T| > t_alpha) = power``. For 51 sources it is 0.40 standard deviations. No significant difference means "less than
about this", and never "equal". Where m tests are corrected together by Holm's method, the smallest p-value has to pass
alpha / m, and the difference is the one found at that level: Holm's power is at least this (Bonferroni's).

References:
    Student, "The probable error of a mean", Biometrika 6 (1908) 1. Fisher, *The Design of Experiments*, 1935, section
    21 (sign changes). Phipson & Smyth, "Permutation p-values should never be zero", Stat. Appl. Genet. Mol. Biol. 9
    (2010) 39. Cohen, *Statistical Power Analysis*, 2nd ed. 1988, chapter 2. Miller, arXiv:2411.00640, section 4.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import nctdtr, stdtr, stdtrit

EXACT_SOURCES = 16
FLIPS = 10_000
POWER = 0.8
ALPHA = 0.05
_CHUNK = 1_000
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class PairedTest:
    """What the differences of the sources say.

    Attributes:
        n_sources: how many there are.
        mean: of the differences.
        low: lower end of Student's 95 % interval of the mean.
        high: upper end.
        t_p: two-sided p-value of the t-test; `flip_p` where all differences are the same.
        flip_p: the same of the randomisation test.
        flip_exact: whether all assignments of signs were looked at.
        detectable: the smallest true difference that would have been found, see above; None where all sources differ by
            the same, so that nothing tells how much others would.
        tests: how many are corrected together, this one among them.
    """

    n_sources: int
    mean: float
    low: float
    high: float
    t_p: float
    flip_p: float
    flip_exact: bool
    detectable: float | None
    tests: int = 1


def paired_test(differences: NDArray[np.float64], *, seed: int = 0) -> PairedTest | None:
    """Test whether the mean difference is 0; None with fewer than two sources, about which nothing can be said.

    Args:
        differences: one a source.
        seed: of the drawn signs, where not all are looked at.

    Raises:
        ValueError: a difference is not finite.
    """
    if not np.isfinite(differences).all():
        raise ValueError("a difference is not finite; leave sources without a score out")
    n = differences.size
    if n < 2:
        return None
    # scores that are equal, and were added up in another order, differ in their last digit: no noise to test on
    differences = np.where(np.abs(differences) < _ROUNDING, 0.0, differences)
    mean = float(differences.mean())
    error = float(differences.std(ddof=1)) / math.sqrt(n) if float(np.ptp(differences)) >= _ROUNDING else 0.0
    half = error * float(stdtrit(n - 1, 1 - ALPHA / 2))
    p, exact = sign_flips(differences, rng=np.random.default_rng((seed, n)))
    return PairedTest(
        n_sources=n,
        mean=mean,
        low=mean - half,
        high=mean + half,
        t_p=2 * float(stdtr(n - 1, -abs(mean) / error)) if error else p,
        flip_p=p,
        flip_exact=exact,
        detectable=error * detectable_shift(n) if error else None,
    )


def among(test: PairedTest, tests: int) -> PairedTest:
    """The same test as one of `tests` that are corrected together: a larger difference is needed to be found."""
    if test.detectable is None:
        return replace(test, tests=tests)
    alone, corrected = (detectable_shift(test.n_sources, alpha=ALPHA / number) for number in (test.tests, tests))
    return replace(test, detectable=test.detectable / alone * corrected, tests=tests)


def sign_flips(differences: NDArray[np.float64], *, rng: np.random.Generator, flips: int = FLIPS) -> tuple[float, bool]:
    """The two-sided p-value of the randomisation test, and whether it is exact."""
    observed = abs(float(differences.sum()))
    # sums of the same numbers in another order differ in their last digits
    reached = observed - _ROUNDING * max(1.0, float(np.abs(differences).sum()))
    n = differences.size
    if n <= EXACT_SOURCES:
        halves = np.arange(2**n, dtype=np.int64)[:, None] // (2 ** np.arange(n, dtype=np.int64))
        return float(np.mean(np.abs((1 - 2 * (halves % 2)) @ differences) >= reached)), True
    extreme = 1
    for start in range(0, flips - 1, _CHUNK):
        signs = 1 - 2 * rng.integers(0, 2, size=(min(_CHUNK, flips - 1 - start), n))
        extreme += int((np.abs(signs @ differences) >= reached).sum())
    return extreme / flips, False


def detectable_shift(n_sources: int, *, power: float = POWER, alpha: float = ALPHA) -> float:
    """The smallest detectable mean difference, in standard errors of the mean.

    Raises:
        ValueError: fewer than two sources.
    """
    if n_sources < 2:
        raise ValueError(f"a paired test needs two sources, got {n_sources}")
    freedom = n_sources - 1
    limit = float(stdtrit(freedom, 1 - alpha / 2))

    def missing(shift: float) -> float:
        # beyond 5 the wrong side has less than 1e-8, and the function loses it; far limits give NaN for nearly 0
        wrong_side = float(nctdtr(freedom, shift, -limit)) if shift < 5 else 0.0
        return 1 - float(nctdtr(freedom, shift, limit)) + (0.0 if math.isnan(wrong_side) else wrong_side) - power

    return float(brentq(missing, 0.0, 2 * limit + 3, xtol=1e-12))
