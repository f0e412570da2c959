"""The probe against models that decode what they are shown."""

import json
import re
from collections import Counter
from dataclasses import replace

import pytest
from builds import build, card_file, settings
from probe_models import AlwaysSync, Blind, Deaf, Dice, Failing, Noisy, OneBehind, StaleSound, Watching, probe

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError, Unreachable
from offbeat.evaluation.probe import probing
from offbeat.evaluation.probe.plan import choose_clips
from offbeat.evaluation.probe.result import NOT_NEEDED, needs_probe
from offbeat.models.base import Reply

DEPENDS, NOT, MIXED = "depends", "does not depend", "answers do not fit the files"


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probed") / "videos"
    for seed in range(4):
        card_file(folder / f"{seed}.mkv", seed=seed, length_s=4, size=128)
    return folder


@pytest.fixture(scope="module")
def variants(videos):
    return built(videos, layout="files")


def built(videos, **changes):
    chosen = settings(lengths_s=(1,), delays_s=(0, 0.5), **changes)
    return build(videos, videos.parent / "-".join(changes.values()), chosen)[1].variants


def verdicts(result):
    return result.sound.verdict, result.picture.verdict


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Watching(), (DEPENDS, DEPENDS)),
        (Deaf(), (NOT, DEPENDS)),
        (Blind(), (DEPENDS, NOT)),
        (StaleSound(), (NOT, DEPENDS)),
        (AlwaysSync(chances=True), (DEPENDS, DEPENDS)),
        (AlwaysSync(chances=False), (NOT, NOT)),
        (Noisy(seed=1), (DEPENDS, DEPENDS)),
        (OneBehind(), (MIXED, MIXED)),
        (Dice(seed=1), ("cannot tell", "cannot tell")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Watching) else None,
)
def test_each_is_seen_for_what_it_is(model, expected, variants):
    result = probe(model, variants)
    assert verdicts(result) == expected
    assert result.passed == (expected == (DEPENDS, DEPENDS))
    assert result.error is None


def test_a_compact_dataset_is_probed_alike(videos, variants):
    compact = built(videos, layout="compact")
    assert probe(Watching(), compact).to_json() == probe(Watching(), variants).to_json()


def test_a_full_disk_is_told(variants, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(probing, "copied", full)
    told = probe(Watching(), variants).says
    assert re.search(r"offbeat-probe-\w+: no clip could be written there \(No space left on device\); TMPDIR", told)


def test_every_showing_is_a_file_of_its_own(variants):
    """Of other bytes, under another name and id: nothing can answer the second time from what it kept of the first."""
    shown = []

    async def ask(variant, prompt):
        shown.append((variant.mp4_bytes(), variant.row.sha256, variant.row.variant_id, variant.path.name))
        return Reply("sync")

    probe(Watching(), variants, clips=2, ask=ask)
    probe(Watching(), variants, clips=1, ask=ask)
    assert {len(set(values)) for values in zip(*shown, strict=True)} == {3 * 14}


class Halves(Exception):
    """What ends a process in the middle."""


def test_a_probe_that_was_cut_short_goes_on_with_the_clip_at_which_it_was(variants):
    whole = probe(Watching(), variants).to_json()
    for after, again in ((0, 56), (13, 56), (14, 42), (30, 28)):
        cut = probe(Failing(TransientError("no luck"), after=after), variants)
        assert (cut.error, cut.clips) == ("no luck", after // 14)
        record, asked = json.loads(json.dumps(cut.to_json())), Failing(TransientError("asked too often"), after=again)
        assert probe(asked, variants, former=record).to_json() == whole


def test_what_there_is_after_each_clip_is_handed_over(variants):
    kept = []

    async def on_clip(result):
        kept.append(result.to_json())
        if len(kept) == 2:
            raise Halves

    with pytest.raises(Halves):
        probe(Watching(), variants, on_clip=on_clip)
    assert [(record["clips"], record["error"], record["passed"]) for record in kept] == [
        (1, "it was cut short", False),
        (2, "it was cut short", False),
    ]
    asked = Failing(TransientError("asked too often"), after=28)
    assert probe(asked, variants, former=kept[-1]).passed


@pytest.mark.parametrize("other", [{"question": "letters"}, {"error": None}, {"clips": 0}, {"said": None}])
def test_nothing_is_taken_over_from_a_probe_of_something_else(other, variants):
    cut = probe(Failing(TransientError("no luck"), after=14), variants).to_json()
    if other == {"said": None}:
        other = {"said": [{**one, "variant_id": "another"} for one in cut["said"]]}
    again = Failing(TransientError("asked"), after=42)
    assert probe(again, variants, former={**cut, **other}).error == "asked"


def test_what_was_seen_is_said_and_kept(variants):
    result = probe(Deaf(), variants)
    assert result.says.startswith("Its answers do not depend on the sound")
    assert "Its answers depend on the picture." in result.says
    assert (result.repeated, result.repeats) == (12, 12)
    record = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert record["passed"] is False
    assert record["overridden"] is False
    assert record["sound"]["verdict"] == NOT
    assert len(record["said"]) == 4 * 14
    assert {row["variant_id"] for row in record["said"]} <= {variant.row.variant_id for variant in variants}
    assert {row["alteration"] for row in record["said"]} == {None, "muted", "swapped", "frozen early", "frozen late"}


def test_usage_is_compared_and_no_tokens_of_sound_are_told(variants):
    class Counting(Deaf):
        def reply(self, variant, prompt):
            frozen = variant.row.condition.startswith("frozen")
            return Reply(super().reply(variant, prompt).text, usage={"audio_tokens": 0, "video_tokens": 5 + frozen})

    result = probe(Counting(), variants, clips=1)
    assert result.usage["plain"] == {"audio_tokens": 0, "video_tokens": 5}
    assert result.usage["frozen"] == {"audio_tokens": 0, "video_tokens": 6}
    assert result.says.endswith("By its own count it read no tokens of the sound.")


@pytest.mark.parametrize("failure", [TransientError("no luck"), ModelUnavailable("no luck"), ModelError("no luck")])
@pytest.mark.parametrize("after", [0, 7])
def test_an_error_is_told_and_is_no_verdict(failure, after, variants):
    result = probe(Failing(failure, after=after), variants[:2], clips=1)
    if after == 7 and type(failure) is ModelError:  # the first question with a known answer is refused
        assert result.error is None
        assert result.sound.truth is None
    else:
        assert result.says == "The probe could not be carried out: no luck"
        assert not result.passed
        assert (result.sound, result.picture) == (None, None)
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("stop", "clips", "told"), [("truncated", 1, "was cut off by the output budget"), ("refused", 4, "was refused")]
)
def test_one_that_says_nothing_is_not_called_deaf(stop, clips, told, variants):
    """Cut off at the whole output budget, each call is as dear as it can be, so one clip of them is enough."""

    class Silent(Watching):
        asked = 0

        def reply(self, variant, prompt):
            Silent.asked += 1
            return Reply("", stop=stop)

    result = probe(Silent(), variants)
    asked = Silent.asked
    assert told in result.error
    assert told in result.says
    assert f"each of its {asked} replies" in result.error
    assert (result.passed, result.sound, result.clips) == (False, None, clips)
    again = probe(Silent(), variants, former=result.to_json())
    assert (again.error, Silent.asked) == (result.error, 2 * asked), "what said nothing was taken over"


@pytest.mark.parametrize("failure", [RequestRejected("too long"), TransientError("out of memory")])
def test_where_a_server_fails_at_clips_of_one_length_it_is_said_how_to_leave_them_out(failure, variants):
    lengths = [replace(one, row=one.row.model_copy(update={"clip_length_s": 10.0})) for one in variants]
    result = probe(Failing(failure, after=0), lengths)
    assert result.error == str(failure)  # all are as long
    short = [replace(one, row=one.row.model_copy(update={"clip_length_s": 2.5, "still": True})) for one in variants]
    result = probe(Failing(failure, after=0), [*lengths, *short[:1], short[-1]])
    assert f"{failure} (at clips of 10 s; --length 2.5 leaves these out)" in result.says
    gone = probe(Failing(Unreachable("no connection"), after=0), [*lengths, *short[:1]])
    assert gone.error == "no connection"


def test_a_key_in_an_error_is_not_told(variants, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "sentinel-4711-0815")
    result = probe(Failing(RequestRejected("bad key sentinel-4711-0815"), after=0), variants, clips=1)
    assert "sentinel" not in json.dumps(result.to_json())


def test_a_damaged_clip_is_told(variants, tmp_path):
    lost = [replace(variant, folder=tmp_path) for variant in variants]
    result = probe(Dice(seed=0), lost)
    assert result.says.startswith("The probe could not be carried out:")


def test_it_asks_as_the_caller_wants(variants):
    asked = []

    async def ask(variant, prompt):
        asked.append((variant.row.condition, prompt.options))
        return Reply("sync")

    result = probe(Watching(), variants, clips=2, ask=ask)
    assert len(asked) == len(result.said) == 28
    assert verdicts(result) == (NOT, NOT)


def test_who_looks_at_nothing_is_not_probed():
    class Constant(Watching):
        looks = False

    assert needs_probe(Watching())
    assert not needs_probe(Constant())
    assert NOT_NEEDED["passed"] is None


def test_a_long_reply_is_kept_in_part(variants):
    class Talking(Watching):
        def said(self, perceived, prompt):
            return Reply("word " * 10_000)

    result = probe(Talking(), variants, clips=1)
    assert {len(row["text"]) for row in result.to_json()["said"]} == {2000}
    assert len(result.said[0].text) == 50_000


def test_known_answers_are_read_from_whole_sentences(variants):
    class Wordy(Watching):
        def said(self, perceived, prompt):
            return Reply(f"This clip is {super().said(perceived, prompt).text} to me")

    result = probe(Wordy(), variants)
    assert (result.sound.truth, result.picture.truth) == (6**-4, 6**-4)


class Refusing(Watching):
    """Fails at clips of these ids, from the given call about each on, and counts all calls."""

    def __init__(self, failure, *clips, at=0):
        self._failure, self._clips, self._at = failure, clips, at
        self.calls, self._of_clip = 0, Counter()

    def reply(self, variant, prompt):
        self.calls += 1
        clip = variant.row.clip_id
        self._of_clip[clip] += 1
        if clip in self._clips and self._of_clip[clip] > self._at:
            raise self._failure
        return super().reply(variant, prompt)


def in_order(variants):
    """The clips in the order in which they would be shown."""
    return [variant.row.clip_id for variant in choose_clips(variants, 4)]


FAILURES = [RequestRejected("too long"), ModelError("no sound counted"), TransientError("out of memory")]


@pytest.mark.parametrize(("failure", "at", "in_vain"), [(FAILURES[0], 0, 2), (FAILURES[1], 3, 6), (FAILURES[2], 3, 6)])
def test_another_clip_stands_in_for_one_that_fails(failure, at, in_vain, variants):
    """Calls in vain: with those about its frozen picture, which count as another clip."""
    clips = in_order(variants)
    model = Refusing(failure, clips[1], at=at)
    result = probe(model, variants, clips=3)
    assert (result.error, verdicts(result), result.clips) == (None, (DEPENDS, DEPENDS), 3)
    assert dict(result.replaced) == {clips[1]: str(failure)}
    assert result.says.endswith(f"In place of a clip that failed, another was shown: {failure}.")
    assert model.calls == 3 * 14 + in_vain
    shown = {one.clip: one.variant_id for one in result.said}
    assert list(shown.values()) == [
        one.row.variant_id for one in choose_clips(variants, 4) if one.row.clip_id != clips[1]
    ]


@pytest.mark.parametrize(
    ("failure", "calls"),
    [
        *zip(FAILURES, (3, 3, 2), strict=True),
        (TransientError("no reply", usage=None), 1),
        (Unreachable("no connection"), 1),
        (RateLimited("slow"), 1),
        (ModelUnavailable("no key"), 1),
    ],
)
def test_a_server_that_refuses_every_clip_is_not_asked_about_each(failure, calls, variants):
    model = Refusing(failure, *in_order(variants))
    result = probe(model, variants)
    assert (result.error, result.says) == (str(failure), f"The probe could not be carried out: {failure}")
    assert (model.calls, dict(result.replaced)) == (calls, {})


@pytest.mark.parametrize(
    ("lengths_s", "kind", "hint"),
    [
        ((3, 10, 10, 10), ModelError, " (at clips of 10 s; --length 3 leaves these out)"),
        ((3, 10, 7, 10), ModelError, " (at clips of 7 and 10 s; --length 3 leaves these out)"),
        ((3, 10, 7, 5), TransientError, " (at clips of 7 and 10 s; --length 3,5 leaves these out)"),
        ((3, 3, 10, 5), TransientError, ""),
        ((5, 10, 3, 7), TransientError, ""),
        ((7, 3, 5, 10), TransientError, ""),
        ((10, 10, 10, 10), ModelError, ""),
    ],
)
def test_lengths_are_blamed_only_where_other_ones_were_borne(lengths_s, kind, hint, variants):
    clips = in_order(variants)
    length_s = dict(zip(clips, lengths_s, strict=True))
    some = [
        replace(one, row=one.row.model_copy(update={"clip_length_s": float(length_s[one.row.clip_id])}))
        for one in variants
    ]
    assert probe(Refusing(kind("beyond me"), *clips[1:]), some).error == f"beyond me{hint}"


def test_a_server_that_goes_down_in_the_middle_is_not_asked_about_each_clip(variants):
    model = Failing(TransientError("gone"), after=20)
    result = probe(model, variants)
    assert (result.error, result.clips, dict(result.replaced)) == ("gone", 1, {})
    assert model._left == -2


def test_a_probe_with_a_stand_in_that_was_cut_short_is_gone_on_with(variants):
    clips = in_order(variants)
    refusing = Refusing(RequestRejected("too long"), clips[0])

    async def ask(variant, prompt):
        if refusing.calls == 1 + 14 + 5:
            raise ModelUnavailable("the run was interrupted")
        return refusing.reply(variant, prompt)

    cut = probe(refusing, variants, clips=2, ask=ask)
    assert (cut.clips, cut.error) == (1, "the run was interrupted")
    again = Refusing(RequestRejected("too long"), clips[0])
    record = json.loads(json.dumps(cut.to_json()))
    result = probe(again, variants, clips=2, former=record)
    assert (again.calls, result.clips, dict(result.replaced)) == (14, 2, {clips[0]: "too long"})
    assert result.passed == probe(Refusing(RequestRejected("too long"), clips[0]), variants, clips=2).passed
    other = probe(Watching(), [one for one in variants if one.row.clip_id == clips[0]], clips=1, former=record)
    assert (other.clips, dict(other.replaced)) == (1, {}), "all of its clips had failed before"


def test_a_damaged_clip_costs_no_probe(variants, tmp_path):
    """Neither where it is shown nor where its sound would be borrowed."""
    clips = in_order(variants)
    for damaged, shown in ((clips[0], 1), (clips[0], 2), (clips[1], 2)):
        some = [replace(one, folder=tmp_path) if one.row.clip_id == damaged else one for one in variants]
        some.sort(key=lambda one: one.row.clip_id != damaged)
        result = probe(Watching(), some, clips=shown)
        assert (result.error, result.clips) == (None, shown)
        assert "cannot be read" in result.says
