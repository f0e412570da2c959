"""Names for what comes from torch and transformers, which a type checker that has neither cannot look into."""

from __future__ import annotations

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
Dtype: TypeAlias = Any
Cache: TypeAlias = Any
"""Keys and values of what was read."""
Foreign: TypeAlias = Any
"""A tokenizer, a configuration, a model: an object of transformers."""
