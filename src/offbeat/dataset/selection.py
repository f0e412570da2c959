"""Which of several candidate windows becomes the clip.

``random``, the study's way: the first that was drawn. ``eventful``: of several, the one with the highest score, onsets
a second times motion; where one of the two is missing, nothing is going on that could be in or out of step. A condition
on flags: the first window that satisfies it; where none does, the clip is refused.

Candidates are drawn by the plan, in an order that depends on the seed, the source and the length alone; the first is
the one that ``random`` would have used. They are measured here, decoded one after the other, sound before picture and
only what the condition asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from offbeat.dataset.flags import Heard, PictureFlags, SoundFlags, listen, picture_flags, sound_flags
from offbeat.dataset.plan import Clip
from offbeat.dataset.rule import Rule, Value, read_rule
from offbeat.dataset.settings import EVENTFUL, RANDOM, BuildSettings
from offbeat.dataset.window import cut_span, first_sample, grey_frames, sample_count
from offbeat.errors import MediaError
from offbeat.media.scan import Scan
from offbeat.media.values import Sound, SoundSpan


@dataclass(frozen=True, slots=True)
class Chosen:
    """A clip, and how it was come by.

    Attributes:
        clip: the window that is used.
        draws: how many windows were looked at.
    """

    clip: Clip
    draws: int


def choose(clip: Clip, scanned: Scan, settings: BuildSettings) -> Chosen:
    """The window that `settings.select` asks for, of the clip's own and its alternatives.

    Raises:
        MediaError: `not_selected`: no window satisfies the condition; or none of them decodes.
    """
    if settings.select == RANDOM:
        return Chosen(clip, 1)
    windows = [_Window(candidate, scanned, settings) for candidate in (clip, *clip.alternatives)]
    if settings.select == EVENTFUL:
        return _most_eventful(windows)
    return _first_that_satisfies(windows, read_rule(settings.select))


class _Window:
    """A candidate and its flags, each measured when it is asked for first."""

    def __init__(self, clip: Clip, scanned: Scan, settings: BuildSettings) -> None:
        self.clip = clip
        self._scanned = scanned
        self._delays_s = settings.delays_s

    def flag(self, name: str) -> Value:
        """Of the unshifted clip; `periodicity` and `periodic` are the largest of all delays.

        Raises:
            MediaError: the window does not decode.
        """
        match name:
            case "silence_share":
                return self._sound.silence_share
            case "onset_density":
                return self._sound.onset_density
            case "periodicity":
                return max((known for one in self._shifted if (known := one.periodicity) is not None), default=None)
            case "periodic":
                return any(one.periodic for one in self._shifted)
            case "motion":
                return self._picture.motion
            case "still":
                return self._picture.still
            case "scene_cut":
                return self._picture.scene_cut
            case "syncability":
                return self._picture.syncability
            case _:
                raise ValueError(f"there is no flag {name!r}")

    def score(self) -> float:
        """How much is going on."""
        return self._sound.onset_density * (self._picture.motion or 0.0)

    @cached_property
    def _span(self) -> SoundSpan:
        return cut_span(self.clip, self._scanned, self._delays_s)

    @cached_property
    def _heard(self) -> Heard:
        return listen(self._span)

    @cached_property
    def _sound(self) -> SoundFlags:
        return self._flags_from(first_sample(self.clip))

    @cached_property
    def _shifted(self) -> list[SoundFlags]:
        return [self._flags_from(first_sample(self.clip, delay_s)) for delay_s in self._delays_s]

    @cached_property
    def _picture(self) -> PictureFlags:
        samples = self._span.slice(first_sample(self.clip), sample_count(self.clip))
        return picture_flags(grey_frames(self.clip, self._scanned), Sound(samples, self._span.sound.rate_hz))

    def _flags_from(self, first: int) -> SoundFlags:
        count = sample_count(self.clip)
        return sound_flags(self._heard, start_samples=first, sync_samples=first_sample(self.clip), count=count)


def _most_eventful(windows: list[_Window]) -> Chosen:
    best: tuple[float, _Window] | None = None
    failure: MediaError | None = None
    for window in windows:
        try:
            score = window.score()
        except MediaError as error:  # a window that does not decode is no candidate; the others may be
            failure = failure or error
            continue
        if best is None or score > best[0]:
            best = score, window
    if best is None:
        raise failure or MediaError("there is no window to choose from", reason="not_selected")
    return Chosen(best[1].clip, len(windows))


def _first_that_satisfies(windows: list[_Window], rule: Rule) -> Chosen:
    failure: MediaError | None = None
    nearest: tuple[int, float, str] | None = None
    for number, window in enumerate(windows, start=1):
        try:
            place = rule.failing(window.flag)
            if place is None:
                return Chosen(window.clip, number)
            shortfall = rule.shortfall(place, window.flag)
            if nearest is None or (place, -shortfall) > (nearest[0], -nearest[1]):
                nearest = place, shortfall, _why_not(window, rule, place)
        except MediaError as error:
            failure = failure or error
    if nearest is None:
        raise failure or MediaError("there is no window to choose from", reason="not_selected")
    raise MediaError(
        f"none of {len(windows)} windows satisfies {rule.text!r}; {nearest[2]}; loosen --select", reason="not_selected"
    )


def _why_not(window: _Window, rule: Rule, place: int) -> str:
    values = ", ".join(f"{name} is {_shown(window.flag(name))}" for name in rule.term_names(place))
    return f"the nearest, from {float(window.clip.start_s):.2f} s, fails at {rule.term_text(place)!r}: {values}"


def _shown(value: Value) -> str:
    if value is None:
        return "unknown"
    return f"{value:g}" if not isinstance(value, bool) else ("true" if value else "false")
