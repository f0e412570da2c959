"""The probe of a tiny model with random weights: what it says must be right, whatever the model answers."""

import json
import shutil

import numpy as np
import pytest
from builds import build, card_file, settings
from own_process import offbeat
from probe_models import probe

torch = pytest.importorskip("torch", reason="needs torch: make test-qwen")

from offbeat.evaluation.run_folder import noted_probes  # noqa: E402
from offbeat.models.qwen import QwenOmni  # noqa: E402
from offbeat.models.qwen.thinker import Thinker  # noqa: E402

SMALL = 32 * 32 * 24
OPTIONS = ("--option", f"max_pixels={SMALL}", "--option", "max_new_tokens=2")


@pytest.fixture(scope="module")
def cards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probe")
    for seed in (1, 2, 3):
        card_file(folder / "in" / f"card{seed}.mp4", length_s=4, seed=seed)
    return build(folder / "in", folder / "out", settings(delays_s=(0, 0.5), layout="compact"))[1]


def probed(folder, dataset):
    model = QwenOmni(argument=str(folder), max_pixels=SMALL, max_new_tokens=2)
    return probe(model, dataset.variants, clips=3)


def chances(said) -> np.ndarray:
    return np.array([list(one.probabilities.values()) for one in said])


def test_each_picture_is_looked_at_once_and_says_the_same(qwen25, cards, monkeypatch):
    looks, see = [], Thinker.see

    def counted(self, patches):
        looks.append(patches.grid)
        return see(self, patches)

    monkeypatch.setattr(Thinker, "see", counted)
    shared = probed(qwen25, cards)
    assert shared.error is None
    assert len(shared.said) == 3 * 14
    assert len(looks) == 3 * 3, "as it is, and frozen at two moments"
    monkeypatch.setattr("offbeat.models.qwen.model.PICTURES_KEPT", 0)
    alone = probed(qwen25, cards)
    assert len(looks) == 3 * 3 + 3 * 14
    for question in ("own", "heard", "moves"):
        mine, theirs = ([one for one in found.said if one.asked == question] for found in (shared, alone))
        np.testing.assert_array_equal(chances(mine), chances(theirs))
    assert shared.repeated == shared.repeats == 9
    assert shared.usage["plain"]["audio_tokens"] == shared.usage["muted"]["audio_tokens"] == 50


@pytest.mark.parametrize(("part", "sense", "other"), [("hear", "sound", "picture"), ("see", "picture", "sound")])
def test_what_does_not_reach_the_model_is_found_out(checkpoint, cards, monkeypatch, part, sense, other):
    own = getattr(Thinker, part)

    def nothing(self, given):
        found = own(self, given)
        if part == "hear":
            return 0 * found
        return type(found)(0 * found.tokens, tuple(0 * layer for layer in found.deeper))

    monkeypatch.setattr(Thinker, part, nothing)
    result = probed(checkpoint, cards)
    assert getattr(result, sense).verdict == "does not depend"
    assert getattr(result, other).verdict != "does not depend"
    assert not result.passed
    assert f"Its answers do not depend on the {sense}" in result.says


def agrees(record) -> None:
    """Whether the verdict is what the replies say, counted plainly: a random model repeats itself and is never sure."""
    assert record["error"] is None
    for sense, asked, word in (("sound", "heard", "silent"), ("picture", "moves", "frozen")):
        said = [one for one in record["said"] if one["asked"] == asked]
        plain, altered = (
            [one["probabilities"][word] for one in said if (one["alteration"] is None) == plain]
            for plain in (True, False)
        )
        verdict = record[sense]["verdict"]
        if verdict == "answers do not fit the files":
            assert np.mean(plain) > np.mean(altered)
            assert f"{word} than" in record["says"]
        elif verdict == "does not depend":
            assert np.ptp([*plain, *altered]) < 1e-5
    assert record["passed"] == all(record[sense]["verdict"] == "depends" for sense in ("sound", "picture"))


def probe_and_run(folder, checkpoint, tmp_path, variants: int, *, options=OPTIONS) -> None:
    spec = ("--model", f"qwen-omni:{checkpoint}", *options)
    code, told = offbeat("probe", folder, *spec, "--clips", "3", "--json", codes=(0, 1))
    record = json.loads(told)["probes"][0]
    agrees(record)
    assert code == (0 if record["passed"] else 1)
    run = ("run", folder, "--out", tmp_path / "run", *spec, "--json")
    code, told = offbeat(*run, codes=(0, 1))
    if code:
        (kept,) = noted_probes(tmp_path / "run").values()
        assert kept["passed"] is False
        agrees({"error": None, **kept})
        assert str(kept["says"]) in told
        code, told = offbeat(*run, "--even-if-deaf", codes=(0, 1))
    assert code == 0
    (model,) = json.loads(told)["models"]
    assert sum(model["outcomes"].values()) == variants
    assert model["outcomes"].get("error", 0) == 0


def test_probe_and_run_by_the_command_line(qwen25, cards, tmp_path):
    probe_and_run(cards.folder, qwen25, tmp_path, len(cards.variants))


@pytest.mark.slow
def test_probe_and_run_on_real_clips(qwen25, shared_media, tmp_path):
    """At full size, as the makers' bound has it."""
    for name in (
        "speech_en_08_webcam_artcritic.mp4",
        "instrument_27_drums_long.mp4",
        "speech_en_03_interview_split.mp4",
    ):
        (tmp_path / "in").mkdir(exist_ok=True)
        shutil.copy(shared_media / name, tmp_path / "in")
    _, dataset = build(tmp_path / "in", tmp_path / "set", settings(lengths_s=(3,), delays_s=(-1, 0, 1)))
    probe_and_run(dataset.folder, qwen25, tmp_path, 9, options=())
