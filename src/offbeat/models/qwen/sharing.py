"""What variants of one clip have in common is worked out once.

The picture's tokens come from the vision tower, which is about half of all work, and do not depend on the delay. Nor
does anything that is read before the first token of sound: the conversation so far and, in Qwen2.5-Omni, the picture
of the first two seconds. What the model has made of it is kept, and each variant reads on from there, several at once::

    shared once a clip                          for each variant
    system, user, picture of the first 2 s  ──▶ sound of the first 2 s, picture and sound of the rest, question
                                            ──▶ …

Where memory runs out, the number of variants at once is halved, and stays so.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from offbeat.models.qwen.foreign import Cache, Tensor
from offbeat.models.qwen.front import Given, Heard
from offbeat.models.qwen.layout import check_places
from offbeat.models.qwen.loading import Loaded
from offbeat.models.qwen.spellings import Tokens
from offbeat.models.qwen.thinker import Seen, Thinker


@dataclass(frozen=True, slots=True)
class Told:
    """What the model makes of one variant.

    Attributes:
        logprobs: by option, the natural logarithm of the probability that the reply begins with it; not normalised.
        said: the tokens of the greedy reply, without the one that ends it.
        ended: whether it ended by itself.
    """

    logprobs: Mapping[str, float]
    said: tuple[int, ...]
    ended: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be found out of each variant.

    Attributes:
        options: the tokens of each option's spellings; empty where no probabilities are wanted.
        most_said: of the greedy reply, in tokens; 0 where none is wanted.
        ends: the tokens that end a reply.
    """

    options: Mapping[str, tuple[Tokens, ...]]
    most_said: int
    ends: frozenset[int]


class ClipPass:
    """What is shared by the variants of a clip; made once, and asked for batches of them.

    Args:
        loaded: the model.
        given: what all variants share.
        mel_frames: of each sound; 0 where none is given.
        seen: what the vision tower made of the same picture before; None where it has yet to look.

    Attributes:
        seen: what it makes of the picture; None where none is shown.

    Raises:
        AssertionError: see `check_places`.
    """

    def __init__(self, loaded: Loaded, given: Given, *, mel_frames: int, seen: Seen | None = None) -> None:
        self._thinker = thinker = Thinker(loaded)
        ids = torch.from_numpy(given.ids)[None].to(loaded.device)
        sound = ids[0] == loaded.marks.sound
        self._length = int(ids.shape[1])
        # without any sound, all but the last token is shared
        self.shared = int(sound.nonzero()[0]) if bool(sound.any()) else self._length - 1
        self._sound = sound[self.shared :]
        self._picture = ids == loaded.marks.video
        self._vectors = thinker.embed(ids)
        self._deeper: tuple[Tensor, ...] = ()
        self.seen = seen
        grid = None
        if given.patches is not None:
            self.seen = seen = seen or thinker.see(given.patches)
            self._vectors = self._vectors.masked_scatter(
                self._picture[..., None], seen.tokens.to(self._vectors.device, self._vectors.dtype)
            )
            self._deeper = tuple(layer.to(self._vectors.device) for layer in seen.deeper)
            grid = torch.tensor([given.patches.grid], device=loaded.device)
        self._places = thinker.places(
            ids, grid=grid, mel_frames=mel_frames, pair_s=given.shape.pair_s, one_item=given.one_item
        )
        check_places(
            given.ids,
            self._places[0, 0].double().cpu().numpy(),
            loaded.marks,
            given.shape,
            loaded.family,
            one_item=given.one_item,
        )
        self._next_place = self._places.max() + 1
        self._prefix = self._read_prefix()

    def _read_prefix(self) -> Cache:
        end = self.shared
        picture = self._picture[:, :end]
        seen = int(picture.sum())
        _, cache = self._thinker.read(
            self._vectors[:, :end],
            self._places[..., :end],
            cache=None,
            length=end,
            picture=picture,
            deeper=[layer[:seen] for layer in self._deeper] if seen else (),
        )
        return cache

    def ask(self, features: Tensor, wanted: Wanted) -> list[Told]:
        """What the model makes of some variants.

        Args:
            features: their spectrograms, shape (variants, bands, frames); with no sound, shape (variants, 0, 0).
            wanted: what is to be found out.
        """
        count = int(features.shape[0])
        states, cache = self._read_variants(features, count)
        first = self._thinker.tell(states[:, -1])
        logprobs = self._score(first, cache, count, wanted.options)
        said, ended = self._speak(first, cache, count, wanted)
        return [
            Told({option: float(logprobs[option][n]) for option in wanted.options}, said[n], ended[n])
            for n in range(count)
        ]

    def _read_variants(self, features: Tensor, count: int) -> tuple[Tensor, Cache]:
        begin = self.shared
        vectors = self._vectors[:, begin:].expand(count, -1, -1).clone()
        if bool(self._sound.any()):
            heard = self._thinker.hear(features)
            if heard.shape[0] != count * int(self._sound.sum()):
                raise AssertionError(f"{heard.shape[0]} tokens of sound for {count} x {int(self._sound.sum())} places")
            mask = self._sound[None, :, None].expand_as(vectors)
            vectors = vectors.masked_scatter(mask, heard.to(vectors.device, vectors.dtype))
        picture = self._picture[:, begin:].expand(count, -1)
        seen_before = int(self._picture[:, :begin].sum())
        rest = [layer[seen_before:].repeat(count, 1) for layer in self._deeper] if bool(picture.any()) else ()
        cache = copy.deepcopy(self._prefix)
        if count > 1:
            cache.batch_repeat_interleave(count)
        return self._thinker.read(
            vectors,
            self._places[..., begin:].expand(3, count, -1),
            cache=cache,
            length=self._length,
            picture=picture,
            deeper=rest,
        )

    def _read_on(self, tokens: Tensor, cache: Cache, *, read: int) -> Tensor:
        """Read tokens of a reply, shape (variants, n), `read` of it having been read; what may come after each."""
        count, more = tokens.shape
        places = (self._next_place + read + torch.arange(more, device=tokens.device)).expand(3, count, -1)
        states, _ = self._thinker.read(
            self._thinker.embed(tokens), places, cache=cache, length=self._length + read + more
        )
        return self._thinker.tell(states)

    def _score(
        self, first: Tensor, cache: Cache, count: int, options: Mapping[str, tuple[Tokens, ...]]
    ) -> dict[str, Tensor]:
        """Teacher forcing: each spelling's tokens, given those before; the cache is left as it was."""
        found: dict[str, Tensor] = {}
        for option, sequences in options.items():
            summed: list[Tensor] = []
            for tokens in sequences:
                logprob = first[:, tokens[0]]
                if len(tokens) > 1:
                    given = torch.tensor([tokens[:-1]], device=first.device).expand(count, -1)
                    after = self._read_on(given, cache, read=0)
                    cache.crop(-given.shape[1])
                    for place, token in enumerate(tokens[1:]):
                        logprob = logprob + after[:, place, token]
                summed.append(logprob)
            found[option] = torch.logsumexp(torch.stack(summed), dim=0)
        return found

    def _speak(
        self, first: Tensor, cache: Cache, count: int, wanted: Wanted
    ) -> tuple[list[tuple[int, ...]], list[bool]]:
        """The greedy reply: the likeliest token each time, no sampling and no penalty."""
        said: list[list[int]] = [[] for _ in range(count)]
        ended = [False] * count
        latest = first.argmax(dim=-1)
        for step in range(wanted.most_said):
            for n, token in enumerate(latest.tolist()):
                ended[n] = ended[n] or token in wanted.ends
                if not ended[n]:
                    said[n].append(token)
            if all(ended) or step + 1 == wanted.most_said:
                break
            latest = self._read_on(latest[:, None], cache, read=step)[:, -1].argmax(dim=-1)
        return [tuple(tokens) for tokens in said], ended


class Batches:
    """Asks a clip's variants several at a time, and fewer where memory runs out.

    Args:
        at_a_time: how many to begin with.
    """

    def __init__(self, at_a_time: int) -> None:
        self.at_a_time = at_a_time

    def ask(self, clip: ClipPass, heard: Heard, wanted: Wanted) -> list[Told]:
        """What the model makes of each variant, in their order.

        Raises:
            torch.OutOfMemoryError: not even one at a time.
        """
        told: list[Told] = []
        while len(told) < heard.features.shape[0]:
            batch = heard.features[len(told) : len(told) + self.at_a_time]
            try:
                told += clip.ask(batch, wanted)
                continue
            except torch.OutOfMemoryError:
                if self.at_a_time == 1:
                    raise
            # outside of the handler, whose traceback holds what filled the memory
            self.at_a_time = max(1, min(self.at_a_time, int(batch.shape[0])) // 2)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        return told


def nothing_heard(count: int) -> Heard:
    """For so many variants whose sound is not given."""
    return Heard(torch.zeros(count, 0, 0), 0)


def normalised(logprobs: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """Probabilities among the options, and the share of all probability that lies on them."""
    values = np.array(list(logprobs.values()), dtype=np.float64)
    mass = float(np.exp(np.logaddexp.reduce(values)))
    shares = np.exp(values - np.logaddexp.reduce(values))
    return dict(zip(logprobs, (shares / shares.sum()).tolist(), strict=True)), min(mass, 1.0)
