"""The thinker's parts, called one by one, whatever the version of transformers keeps them under.

In 5.17 the towers are the thinker's own, in 5.23 those of its inner ``model``. Calling the parts is what lets a clip's
variants share work: `forward` begins anew with every sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from offbeat.models.qwen.foreign import Cache, Foreign, Tensor
from offbeat.models.qwen.loading import Loaded
from offbeat.models.qwen.picture import Patches


@dataclass(frozen=True, slots=True)
class Seen:
    """What the vision tower makes of a picture.

    Attributes:
        tokens: shape (n, width).
        deeper: the same from within the tower, which Qwen3-Omni adds after its first layers; none in Qwen2.5-Omni.
    """

    tokens: Tensor
    deeper: tuple[Tensor, ...]

    def on_cpu(self) -> Seen:
        """The same, out of the memory of the device."""
        return Seen(self.tokens.cpu(), tuple(layer.cpu() for layer in self.deeper))


class Thinker:
    """The parts of a loaded model; nothing is kept from call to call."""

    def __init__(self, loaded: Loaded) -> None:
        outer = loaded.model
        self._outer = outer
        self._inner = outer.model if hasattr(outer.model, "get_video_features") else outer
        self._language = getattr(outer.model, "language_model", outer.model)
        self._loaded = loaded

    def see(self, patches: Patches) -> Seen:
        """Run the vision tower."""
        found = self._inner.get_video_features(
            patches.values.to(self._loaded.device, self._loaded.dtype),
            torch.tensor([patches.grid], device=self._loaded.device),
            return_dict=True,
        )
        return Seen(
            _joined(getattr(found, "pooler_output", found)),
            tuple(_joined(layer) for layer in getattr(found, "deepstack_features", None) or ()),
        )

    def hear(self, features: Tensor) -> Tensor:
        """Run the ear over spectrograms of one length, shape (variants, bands, frames); all tokens in one row."""
        features = features.to(self._loaded.device, self._loaded.dtype)
        mask = torch.ones(features.shape[0], features.shape[2], dtype=torch.long, device=features.device)
        found = self._inner.get_audio_features(features, mask, return_dict=True)
        return getattr(found, "last_hidden_state", found)

    def embed(self, ids: Tensor) -> Tensor:
        """Tokens as vectors."""
        return self._outer.get_input_embeddings()(ids)

    def places(self, ids: Tensor, *, grid: Tensor | None, mel_frames: int, pair_s: float, one_item: bool) -> Tensor:
        """Place in time, row and column of each token, shape (3, 1, n)."""
        found, _ = self._inner.get_rope_index(
            ids,
            None,
            grid,
            torch.ones_like(ids),
            one_item,
            torch.tensor([mel_frames], device=ids.device) if mel_frames else None,
            None if grid is None else torch.tensor([pair_s], device=ids.device),
        )
        return found

    def read(
        self,
        vectors: Tensor,
        places: Tensor,
        *,
        cache: Cache | None,
        length: int,
        picture: Tensor | None = None,
        deeper: Sequence[Tensor] = (),
    ) -> tuple[Tensor, Cache]:
        """Read on from what the cache holds.

        Args:
            vectors: shape (variants, n, width).
            places: shape (3, variants, n).
            cache: what was read before; None at the beginning.
            length: how many tokens are read then, those of the cache included.
            picture: which of the n are of the picture, shape (variants, n), where `deeper` is given.
            deeper: see `Seen`, for those tokens, variant after variant.

        Returns:
            What comes out for each of the n, and the cache, which has grown by them.
        """
        extra = {"visual_pos_masks": picture, "deepstack_visual_embeds": list(deeper)} if deeper else {}
        found = self._language(
            inputs_embeds=vectors,
            position_ids=places,
            attention_mask=torch.ones(vectors.shape[0], length, dtype=torch.long, device=vectors.device),
            past_key_values=cache,
            use_cache=True,
            return_dict=True,
            **extra,
        )
        return found.last_hidden_state, found.past_key_values

    def tell(self, states: Tensor) -> Tensor:
        """Natural logarithms of the next token's probabilities, in single precision."""
        return torch.log_softmax(self._outer.lm_head(states).float(), dim=-1)


def _joined(parts: Foreign) -> Tensor:
    return torch.cat(list(parts)) if isinstance(parts, tuple | list) else parts
