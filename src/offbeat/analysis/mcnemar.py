"""McNemar's exact test: of the answers that one of two models has right, does either have more?

b answers are right in the first only, c in the second only; if neither is better, b is binomial with 1/2 among
b + c. It takes answers as independent, which those about one source are not: it rejects too often (see the table in
``docs/method.md``), and is given as a footnote for readers who look for it.

Reference:
    McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947) 153; in its exact form, the sign test.
"""

from __future__ import annotations

from scipy.special import bdtr


def mcnemar(first_only: int, second_only: int) -> float:
    """The two-sided p-value: min(1, 2 P(X <= min(b, c))), X binomial with b + c and 1/2; 1 where all agree.

    Raises:
        ValueError: a count is negative.
    """
    if first_only < 0 or second_only < 0:
        raise ValueError(f"counts must not be negative, got {first_only} and {second_only}")
    both = first_only + second_only
    return 1.0 if both == 0 else min(1.0, 2 * float(bdtr(min(first_only, second_only), both, 0.5)))
