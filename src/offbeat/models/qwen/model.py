"""The model: a clip's variants in, replies out.

Two answers come of one reading: the greedy text, which is what the study asked for, and the probability of each option.
The word may be ``sync`` at every delay while the probabilities move with it: then the model hears the delay, and its
bias hides it.
"""

from __future__ import annotations

import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError, ModelError, ModelUnavailable
from offbeat.models.base import JsonValue, Prompt, Reply
from offbeat.models.qwen.checkpoint import find_checkpoint
from offbeat.models.qwen.controls import hears, order_of, sees
from offbeat.models.qwen.grid import Sampled, sample
from offbeat.models.qwen.settings import Settings, name_of, read_argument
from offbeat.models.qwen.sound import heard

if TYPE_CHECKING:
    from offbeat.models.qwen.loading import Loaded
    from offbeat.models.qwen.picture import Patches
    from offbeat.models.qwen.thinker import Seen

PICTURES_KEPT = 3
"""What the vision tower made of the last ones: a probe shows each clip as it is, and frozen at two moments, in many
questions. 10 s of 720p at 2 frames a second take about 30 MB in bfloat16."""

_Group: TypeAlias = "tuple[str, Prompt]"


class QwenOmni:
    """Qwen2.5-Omni or Qwen3-Omni in this process, from a folder or a hub: ``qwen-omni:Qwen/Qwen2.5-Omni-3B``.

    Args:
        argument: a folder or a repository; ``[video-only]`` or ``[fps=8]`` after it are settings, and part of the name.
        seed: not used: nothing is drawn.
        control: what is taken away or rearranged; see `offbeat.models.qwen.controls`.
        fps: frames a second that are shown and stamped.
        sampler: `grid`: what is seen at k / fps; `official`: the makers', up to almost 1 / fps off its stamps.
        max_pixels: of a frame; null for the makers' bound, 602112 (Qwen3: 786432).
        height: frames are first scaled to at most this many lines; null keeps them.
        answer: `both`; or only the greedy `text`; or only `probabilities`, whose likeliest option is then the text.
        max_new_tokens: of the greedy text.
        dtype: `auto`: bfloat16 on a GPU, float32 on a CPU; or bfloat16, float16, float32.
        device: such as cuda:1; null: a GPU if there is one; auto: over all of them (needs accelerate).
        attention: `sdpa`, `eager`, or `flash_attention_2`.
        batch: variants of a clip at a time; halved where memory runs out.
        hub_revision: commit, branch or tag of a repository.

    Raises:
        ModelUnavailable: a setting is not what it should be, or there is no such checkpoint.
        ModuleNotFoundError: torch or transformers is missing.
    """

    at_once = 1

    def __init__(
        self,
        *,
        argument: str,
        seed: int = 0,
        control: str = "none",
        fps: float = 2,
        sampler: str = "grid",
        max_pixels: int | None = None,
        height: int | None = None,
        answer: str = "both",
        max_new_tokens: int = 16,
        dtype: str = "auto",
        device: str | None = None,
        attention: str = "sdpa",
        batch: int = 7,
        hub_revision: str | None = None,
    ) -> None:
        for package in ("torch", "transformers"):
            if importlib.util.find_spec(package) is None:
                raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        source, self._settings = read_argument(
            argument,
            {
                "control": control,
                "fps": fps,
                "sampler": sampler,
                "max_pixels": max_pixels,
                "height": height,
                "answer": answer,
                "max_new_tokens": max_new_tokens,
                "dtype": dtype,
                "device": device,
                "attention": attention,
                "batch": batch,
                "hub_revision": hub_revision,
            },
        )
        self.name = name_of(argument, self._settings)
        self._checkpoint = find_checkpoint(source, hub_revision=self._settings.hub_revision)
        self.looks = sees(self._settings.control) and hears(self._settings.control)
        self._batch = self._settings.batch
        self._seen: OrderedDict[str, tuple[Patches, Seen]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def revision(self) -> str:
        """The version of the method, the weights, and all settings that may change an answer."""
        return f"{self._settings.revision} weights={self._checkpoint.revision}"

    def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """What it says of one variant.

        Raises:
            ModelError: there is no reply.
        """
        (reply,) = self.replies([variant], [prompt])
        if isinstance(reply, ModelError):
            raise reply
        return reply

    def replies(self, variants: Sequence[Variant], prompts: Sequence[Prompt]) -> Sequence[Reply | ModelError]:
        """What it says of a clip's variants; those that show one picture and are asked alike share their work.

        Raises:
            ModelUnavailable: the checkpoint cannot be loaded.
        """
        found: dict[int, Reply | ModelError] = {}
        groups: dict[_Group, list[int]] = {}
        for number, (variant, prompt) in enumerate(zip(variants, prompts, strict=True)):
            try:
                groups.setdefault((variant.picture_digest(), prompt), []).append(number)
            except MediaError as error:
                found[number] = ModelError(str(error))
        with self._lock:
            for (picture, prompt), numbers in groups.items():
                try:
                    answers = self._group(picture, [variants[number] for number in numbers], prompt)
                except ModelUnavailable:
                    raise
                except (ModelError, MediaError) as error:
                    answers = [ModelError(str(error))] * len(numbers)
                found.update(zip(numbers, answers, strict=True))
        return [found[number] for number in range(len(variants))]

    def _group(self, picture: str, variants: Sequence[Variant], prompt: Prompt) -> list[Reply | ModelError]:
        from offbeat.models.qwen.loading import load

        settings = self._settings
        loaded = load(
            self._checkpoint,
            device=settings.device or "",
            dtype="" if settings.dtype == "auto" else settings.dtype,
            attention=settings.attention,
        )
        shown = _shown(variants[0], settings)
        found: list[Reply | ModelError | None] = [None] * len(variants)
        sounds: list[NDArray[np.float32]] = []
        for number, variant in enumerate(variants):
            sound = _sound(variant, shown.length_s) if hears(settings.control) else None
            if isinstance(sound, ModelError):
                found[number] = sound
            elif sound is not None:
                sounds.append(sound)
        count = found.count(None)
        replies = iter(self._ask(loaded, picture, shown, sounds, count, prompt) if count else ())
        return [next(replies) if one is None else one for one in found]

    def _ask(
        self,
        loaded: Loaded,
        picture: str,
        shown: _Shown,
        sounds: Sequence[NDArray[np.float32]],
        count: int,
        prompt: Prompt,
    ) -> list[Reply]:
        import torch

        from offbeat.models.qwen.front import give, spectrograms
        from offbeat.models.qwen.picture import patches_of
        from offbeat.models.qwen.sharing import Batches, ClipPass, Wanted, nothing_heard
        from offbeat.models.qwen.spellings import fault_of, option_tokens
        from offbeat.models.qwen.telling import details_of, ends_of, reply_of

        settings = self._settings
        options = {} if settings.answer == "text" else option_tokens(prompt, loaded.tokenizer)
        fault = fault_of(options)
        wanted = Wanted(
            options={} if fault else options,
            most_said=0 if settings.answer == "probabilities" else settings.max_new_tokens,
            ends=ends_of(loaded),
        )
        batches = Batches(self._batch)
        with torch.inference_mode():
            patches, seen = self._seen.pop(picture, (None, None))
            if patches is None and shown.images is not None:
                patches = patches_of(shown.images, loaded.family, most_pixels=settings.max_pixels)
            ears = spectrograms(loaded, sounds) if sounds else nothing_heard(count)
            given = give(
                loaded,
                prompt,
                patches=patches,
                sound_tokens=ears.tokens,
                fps=settings.exact_fps,
                control=settings.control,
            )
            try:
                clip = ClipPass(loaded, given, mel_frames=ears.mel_frames, seen=seen)
                told = batches.ask(clip, ears, wanted)
            except torch.OutOfMemoryError as error:
                raise ModelError(
                    f"out of memory on {loaded.device} with {given.ids.size} tokens of one variant; type "
                    "--option max_pixels=200704 or --option height=360, ask fewer frames a second, or use more devices"
                ) from error
        self._batch = batches.at_a_time
        if patches is not None and clip.seen is not None:
            self._seen[picture] = (patches.emptied(), clip.seen.on_cpu())
            while len(self._seen) > PICTURES_KEPT:
                self._seen.popitem(last=False)
        details: dict[str, JsonValue] = {
            **details_of(shown.sampled, given),
            "shared_tokens": clip.shared,
            "batch": batches.at_a_time,
            "precision": str(loaded.dtype).removeprefix("torch."),
            "device": str(loaded.device),
            "versions": f"torch {version('torch')}, transformers {version('transformers')}",
        }
        if fault:
            details["no_probabilities"] = fault
        return [reply_of(one, prompt, loaded, given, details) for one in told]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A clip's picture as it is shown; `images` come one by one and once, and are None where it is not."""

    images: Iterator[NDArray[np.uint8]] | None
    sampled: Sampled
    length_s: Fraction


def _shown(variant: Variant, settings: Settings) -> _Shown:
    grid = variant.grid()
    sampled = sample(grid.count, grid.fps, fps=settings.exact_fps, sampler=settings.sampler)
    if not sees(settings.control):
        return _Shown(None, sampled, grid.length_s)
    images = variant.images(order_of(settings.control, sampled.indices), height=settings.height)
    return _Shown(images, sampled, grid.length_s)


def _sound(variant: Variant, length_s: Fraction) -> NDArray[np.float32] | ModelError:
    try:
        return heard(variant.sound(), length_s)
    except MediaError as error:
        return ModelError(str(error))
    except ModelError as error:
        return ModelError(f"{variant.path}: {error}")
