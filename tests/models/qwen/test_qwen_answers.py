"""Replies against transformers' own forward pass and generation; sharing, memory, and sound that must not get lost."""

from fractions import Fraction

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-qwen")

from offbeat.errors import ModelError  # noqa: E402
from offbeat.models.base import Prompt  # noqa: E402
from offbeat.models.qwen import QwenOmni, front, layout, sharing, spellings, telling, thinker  # noqa: E402
from offbeat.models.qwen.checkpoint import find_checkpoint  # noqa: E402
from offbeat.models.qwen.front import give, spectrograms  # noqa: E402
from offbeat.models.qwen.grid import sample  # noqa: E402
from offbeat.models.qwen.loading import load  # noqa: E402
from offbeat.models.qwen.picture import patches_of  # noqa: E402
from offbeat.models.qwen.sound import heard  # noqa: E402

SMALL = 32 * 32 * 24
DELAYS_21 = tuple(k / 10 for k in range(-10, 11))


def loaded_from(folder):
    return load(find_checkpoint(str(folder)), device="", dtype="", attention="sdpa")


def plain(folder, variant, prompt, *, fps=2):
    """Everything in one call of the library, nothing shared: inputs for `forward` and `generate`."""
    loaded = loaded_from(folder)
    frames = variant.frames()
    shown = sample(frames.count, frames.fps, fps=Fraction(fps), sampler="grid")
    patches = patches_of(frames.images[list(shown.indices)], loaded.family, most_pixels=SMALL)
    ears = spectrograms(loaded, [heard(variant.sound(), frames.count / frames.fps)])
    given = give(loaded, prompt, patches=patches, sound_tokens=ears.tokens, fps=Fraction(fps), control="none")
    ids = torch.from_numpy(given.ids)[None]
    return loaded, {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "pixel_values_videos": patches.values,
        "video_grid_thw": torch.tensor([patches.grid]),
        "video_second_per_grid": torch.tensor([2 / fps]),
        "input_features": ears.features,
        "feature_attention_mask": torch.ones(1, ears.mel_frames, dtype=torch.long),
        "use_audio_in_video": True,
    }


def option_logprobs(loaded, inputs, prompt):
    """Each spelling read behind the prompt in one long forward pass, without any cache."""

    def last(more):
        ids = torch.cat([inputs["input_ids"], torch.tensor([more], dtype=torch.long)], 1)
        with torch.inference_mode():
            logits = loaded.model(
                **{**inputs, "input_ids": ids, "attention_mask": torch.ones_like(ids)}, use_cache=False
            ).logits
        return logits[0, -len(more) - 1 :].log_softmax(-1)

    short = loaded.model.lm_head.register_forward_pre_hook(lambda head, given: (given[0][:, -4:],))
    first, found = last([])[0], {}
    for option, sequences in spellings.option_tokens(prompt, loaded.tokenizer).items():
        summed = [first[tokens[0]] for tokens in sequences if len(tokens) == 1]
        for tokens in (tokens for tokens in sequences if len(tokens) > 1):
            after = last(tokens[:-1])
            summed.append(sum(after[n, token] for n, token in enumerate(tokens)))
        found[option] = float(torch.logsumexp(torch.stack(summed), 0))
    short.remove()
    return found


def logprobs(replies):
    return np.array([list(reply.details["log_probabilities"].values()) for reply in replies])


@pytest.mark.parametrize("fps", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_option_probabilities_are_those_of_one_long_forward_pass(checkpoint, clip, prompt, fps):
    variants = clip()[:2]
    replies = QwenOmni(argument=str(checkpoint), max_pixels=SMALL, fps=fps, answer="probabilities").replies(
        variants, [prompt] * 2
    )
    for variant, reply in zip(variants, replies, strict=True):
        expected = option_logprobs(*plain(checkpoint, variant, prompt, fps=fps), prompt)
        assert reply.details["log_probabilities"] == pytest.approx(expected, abs=1e-4)
        mass = sum(np.exp(value) for value in expected.values())
        assert reply.details["option_mass"] == pytest.approx(mass, rel=1e-3)
        assert reply.probabilities == pytest.approx({o: np.exp(v) / mass for o, v in expected.items()}, abs=1e-4)
        assert sum(reply.probabilities.values()) == pytest.approx(1)
        assert reply.text == max(expected, key=expected.__getitem__)


def test_the_text_is_what_greedy_generation_says(checkpoint, clip, prompt):
    variant = clip()[0]
    reply = QwenOmni(argument=str(checkpoint), max_pixels=SMALL, answer="text", max_new_tokens=6).reply(variant, prompt)
    loaded, inputs = plain(checkpoint, variant, prompt)
    with torch.inference_mode():
        said = loaded.model.generate(**inputs, do_sample=False, repetition_penalty=1.0, max_new_tokens=6)
    assert reply.text == loaded.tokenizer.decode(said[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    assert reply.probabilities is None
    assert (reply.stop, reply.usage["output_tokens"]) == ("truncated", 6)


def test_a_reply_ends_where_the_model_ends_it(qwen25, clip, prompt, monkeypatch):
    whole = QwenOmni(argument=str(qwen25), max_pixels=SMALL, max_new_tokens=4).reply(clip()[0], prompt)
    loaded = loaded_from(qwen25)
    first = loaded.tokenizer.encode(whole.text, add_special_tokens=False)[0]
    monkeypatch.setattr(telling, "ends_of", lambda loaded: frozenset({first}))
    reply = QwenOmni(argument=str(qwen25), max_pixels=SMALL, max_new_tokens=4).reply(clip()[0], prompt)
    assert (reply.text, reply.stop, reply.usage["output_tokens"]) == ("", "complete", 0)


def test_tokens_are_counted_by_kind(qwen25, clip, prompt):
    usage = QwenOmni(argument=str(qwen25), max_pixels=SMALL).reply(clip()[0], prompt).usage
    assert usage["audio_tokens"] == 75  # 25 a second
    assert usage["video_tokens"] == 3 * 35  # pairs of frames, 196 x 140 pixels
    assert usage["input_tokens"] == usage["text_tokens"] + usage["video_tokens"] + usage["audio_tokens"]


def test_batches_of_any_size_say_the_same(checkpoint, clip, prompt):
    variants = clip()
    by_three = QwenOmni(argument=str(checkpoint), max_pixels=SMALL, batch=3).replies(variants, [prompt] * 3)
    one_by_one = [QwenOmni(argument=str(checkpoint), max_pixels=SMALL).reply(variant, prompt) for variant in variants]
    assert np.abs(logprobs(by_three) - logprobs(one_by_one)).max() < 1e-4
    assert [reply.text for reply in by_three] == [reply.text for reply in one_by_one]
    assert np.abs(np.diff(logprobs(one_by_one), axis=0)).max(axis=1).min() > 1e-3, "each delay is heard"


def test_the_towers_run_once_a_clip(qwen25, clip, prompt, monkeypatch):
    calls = {"see": 0, "hear": 0}
    for name in calls:
        own = getattr(thinker.Thinker, name)

        def counted(self, given, name=name, own=own):
            calls[name] += 1
            return own(self, given)

        monkeypatch.setattr(thinker.Thinker, name, counted)
    replies = QwenOmni(argument=str(qwen25), max_pixels=SMALL, batch=2).replies(clip(), [prompt] * 3)
    assert calls == {"see": 1, "hear": 2}
    assert replies[0].details["shared_tokens"] > 70  # the picture of the first two seconds among them


def test_out_of_memory_halves_the_batch_and_goes_on(qwen25, clip, prompt, monkeypatch):
    ask, sizes = sharing.ClipPass.ask, []

    def small(self, features, wanted):
        sizes.append(features.shape[0])
        if features.shape[0] > 1:
            raise torch.OutOfMemoryError("too much")
        return ask(self, features, wanted)

    expected = QwenOmni(argument=str(qwen25), max_pixels=SMALL, batch=1).replies(clip(), [prompt] * 3)
    monkeypatch.setattr(sharing.ClipPass, "ask", small)
    qwen = QwenOmni(argument=str(qwen25), max_pixels=SMALL, batch=3)
    assert logprobs(qwen.replies(clip(), [prompt] * 3)).tolist() == logprobs(expected).tolist()
    assert sizes == [3, 1, 1, 1]
    sizes.clear()
    qwen.replies(clip(), [prompt] * 3)
    assert sizes == [1, 1, 1], "it stays with what fits"

    def never(self, features, wanted):
        raise torch.OutOfMemoryError("too much")

    monkeypatch.setattr(sharing.ClipPass, "ask", never)
    told = qwen.replies(clip(), [prompt] * 3)
    assert all(isinstance(one, ModelError) and "--option max_pixels" in str(one) for one in told)


def test_variants_with_other_pictures_or_prompts_are_kept_apart(qwen25, clip, prompt):
    other = Prompt(text="Early or late?", options=("sync", "ahead", "behind"), words=("together", "early", "late"))
    mixed = [clip()[0], clip(seed=1)[0], clip()[1], clip()[0]]
    prompts = [prompt, prompt, prompt, other]
    qwen = QwenOmni(argument=str(qwen25), max_pixels=SMALL)
    together = qwen.replies(mixed, prompts)
    alone = [qwen.reply(variant, one) for variant, one in zip(mixed, prompts, strict=True)]
    assert np.abs(logprobs(together) - logprobs(alone)).max() < 1e-4


def _silent(monkeypatch):
    own = front.spectrograms
    monkeypatch.setattr(
        front, "spectrograms", lambda loaded, sounds: own(loaded, [np.zeros_like(sound) for sound in sounds])
    )


def _not_to_the_model(monkeypatch):
    own = thinker.Thinker.hear
    monkeypatch.setattr(thinker.Thinker, "hear", lambda self, features: 0 * own(self, features))


def _beside_the_video(monkeypatch):
    own = layout.interleaved
    monkeypatch.setattr(layout, "interleaved", lambda shape, family: np.sort(own(shape, family)))


def _fewer_tokens(monkeypatch):
    own = thinker.Thinker.hear
    monkeypatch.setattr(thinker.Thinker, "hear", lambda self, features: own(self, features[:1]))


@pytest.mark.parametrize("drop", [_silent, _not_to_the_model, _beside_the_video, _fewer_tokens])
def test_sound_cannot_get_lost_unnoticed(qwen25, clip, prompt, monkeypatch, drop):
    """Each way of losing it either stops the run, or makes all delays alike, which the tests above would notice."""
    drop(monkeypatch)
    try:
        replies = QwenOmni(argument=str(qwen25), max_pixels=SMALL).replies(clip(), [prompt] * 3)
    except AssertionError:
        return
    assert np.abs(np.diff(logprobs(replies), axis=0)).max() < 1e-5
    monkeypatch.undo()
    replies = QwenOmni(argument=str(qwen25), max_pixels=SMALL).replies(clip(), [prompt] * 3)
    assert np.abs(np.diff(logprobs(replies), axis=0)).max(axis=1).min() > 1e-3


def test_options_that_begin_alike_have_no_probabilities_and_say_why(qwen25, clip):
    alike = Prompt(text="Late or later?", options=("sync", "ahead", "behind"), words=("Sync", "A", "A1"))
    reply = QwenOmni(argument=str(qwen25), max_pixels=SMALL).reply(clip()[0], alike)
    assert reply.probabilities is None
    assert reply.details["no_probabilities"] == "a spelling of 'behind' begins with one of 'ahead'"


def test_a_variant_that_cannot_be_read_leaves_the_others_alone(qwen25, clip, prompt, tmp_path):
    (tmp_path / "clips").mkdir()
    broken = clip()[1].__class__(row=clip()[1].row, folder=tmp_path)
    told = QwenOmni(argument=str(qwen25), max_pixels=SMALL).replies([clip()[0], broken, clip()[2]], [prompt] * 3)
    assert isinstance(told[1], ModelError)
    assert told[0].text
    assert told[2].text


@pytest.mark.slow
@pytest.mark.parametrize(("length_s", "fps"), [(3, 2), (3, 8), (10, 2)])
def test_21_delays_share_and_say_the_same(checkpoint, clip, prompt, length_s, fps):
    variants = clip(length_s=length_s, delays_s=DELAYS_21)
    replies = QwenOmni(argument=str(checkpoint), max_pixels=SMALL, fps=fps, answer="probabilities").replies(
        variants, [prompt] * 21
    )
    for variant, reply in list(zip(variants, replies, strict=True))[::5]:
        expected = option_logprobs(*plain(checkpoint, variant, prompt, fps=fps), prompt)
        assert reply.details["log_probabilities"] == pytest.approx(expected, abs=1e-4)
