"""The tables of thresholds and of the section "Why?": rows of words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from offbeat.analysis.intervals import Estimate
from offbeat.analysis.sj3_estimates import Psychometric
from offbeat.analysis.why_contrasts import Contrast
from offbeat.report.figure_words import p_value
from offbeat.report.insight import Insight, Why
from offbeat.report.words import NOTHING, link, percent, seconds, visible, whole_ms, with_interval

MS_COLUMNS = ("pss_ms", "early_limit_ms", "late_limit_ms", "window_ms", "jnd_ms", "jnd_early_ms", "jnd_late_ms")
_SIGNED = ("pss_ms", "early_limit_ms", "late_limit_ms")
Words = Callable[[float], str]
_PART_WORDS = {"small": "delays up to 1 s", "large": "delays above 1 s"}


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """One observer, or one group of one.

    Attributes:
        name: of what.
        cells: a figure and its interval for each of `MS_COLUMNS`, then late over early and the share of lapses.
        reason: why there are none.
        n: answers.
        n_sources: of how many sources.
        href: where a click on a figure leads.
    """

    name: str
    cells: tuple[tuple[str, str], ...]
    reason: str | None
    n: int
    n_sources: int
    href: str


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One line of what a verdict rests on: what, the figure, what chance would give, and a remark."""

    what: str
    figure: str
    chance: str
    remark: str


def threshold_row(name: str, found: Psychometric, href: str) -> ThresholdRow:
    """A row of the table of thresholds."""
    words: dict[str, Words] = {key: whole_ms if key in _SIGNED else _ms for key in MS_COLUMNS}
    words |= {"late_over_early": _ratio, "lapse_rate": percent}
    cells = [_of(found.figures.get(key), told) for key, told in words.items()]
    return ThresholdRow(visible(name), tuple(cells), found.reason, found.n, found.n_sources, href)


def group_threshold_rows(model: str, insight: Insight) -> list[ThresholdRow]:
    """Genres, then lengths, of one observer; none where there is but one of each."""
    names: dict[str, Callable[[str | float], str]] = {"genre": str, "length": lambda key: f"{seconds(float(key))} s"}
    return [
        threshold_row(name(key), one, link(**{"model": model, by: key}))
        for by, name in names.items()
        if len(insight.thresholds.groups[by]) > 1
        for key, one in insight.thresholds.groups[by].items()
    ]


def evidence_rows(why: Why) -> list[EvidenceRow]:
    """All that the verdict rests on."""
    evidence = why.evidence
    rows = _contrast_rows("words", evidence.words) + _contrast_rows("probabilities", evidence.probabilities)
    for name, words, chance in (
        ("sync_by_size", "P(sync), for each second further apart", "0"),
        ("behind_by_delay", "P(behind) − P(ahead), for each second later", "0"),
    ):
        if name in why.slopes:
            odds = why.slopes[f"{name}_log_odds"]
            rows.append(
                EvidenceRow(
                    words,
                    f"{_together(why.slopes[name], _points)} points",
                    chance,
                    f"log-odds {_together(odds, _odds)}",
                )
            )
    calibration = evidence.calibration
    if calibration is not None:
        rows.append(EvidenceRow("balanced accuracy as answered", with_interval(calibration.words), "33.3 %", ""))
        rows.append(
            EvidenceRow(
                "… calibrated by the mean over delays", with_interval(calibration.by_mean), "33.3 %", "no truth used"
            )
        )
        if calibration.elsewhere is not None:
            rows.append(
                EvidenceRow(
                    "… with the best criterion of other sources", with_interval(calibration.elsewhere), "33.3 %", ""
                )
            )
        rows.append(
            EvidenceRow(
                "… with the best criterion in hindsight",
                NOTHING if calibration.hindsight is None else f"{percent(calibration.hindsight)} %",
                NOTHING,
                "uses the truths: an upper mark, no result",
            )
        )
    excess = {label: one for label, one in evidence.excess.items() if one.value is not None and abs(one.value) >= 0.1}
    for label, one in excess.items():
        rows.append(
            EvidenceRow(f"{label} is answered more often than true by", f"{_together(one, _points)} points", "0", "")
        )
    rows.append(_control("hears, by the probe before the run", evidence.probe_sound))
    rows.append(_control("sees, by the probe before the run", evidence.probe_picture))
    if evidence.unmoved is not None:
        told = "the same at all delays of each clip" if evidence.unmoved else "they differ between delays of a clip"
        rows.append(EvidenceRow("probabilities at other delays", told, NOTHING, ""))
    return rows


def _contrast_rows(route: str, contrasts: Mapping[str, Contrast]) -> list[EvidenceRow]:
    rows: list[EvidenceRow] = []
    for part, one in contrasts.items():
        shares = one.detection_chance == 0
        detects = "noticed less false alarms" if shares else "shifted against in sync, area"
        directs = "right direction of those noticed" if shares else "behind against ahead, area"
        for words, figure, p, tells in (
            (detects, one.detection, one.detection_p, one.detects),
            (directs, one.direction, one.direction_p, one.directs),
        ):
            chance = "0" if shares and figure is one.detection else "50 %"
            remark = f"p {p_value(p)}" + (", beyond chance" if tells else "")
            rows.append(EvidenceRow(f"{route}, {_PART_WORDS[part]}: {words}", with_interval(figure), chance, remark))
    return rows


def _control(what: str, verdict: str | None) -> EvidenceRow:
    return EvidenceRow(what, "not looked at" if verdict is None else visible(verdict), NOTHING, "")


def _of(figure: Estimate | None, words: Words) -> tuple[str, str]:
    """The figure and its interval, in words."""
    if figure is None or figure.value is None:
        return NOTHING, ""
    if figure.low is None or figure.high is None:
        return words(figure.value), ""
    return words(figure.value), f"[{words(figure.low)}, {words(figure.high)}]"


def _together(figure: Estimate, words: Words) -> str:
    return " ".join(_of(figure, words)).strip()


def _ms(value: float) -> str:
    return f"{value:,.0f}"


def _ratio(value: float) -> str:
    return f"{value:.2f}"


def _points(value: float) -> str:
    return f"{100 * value:+.2f}".replace("-", "−")


def _odds(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
