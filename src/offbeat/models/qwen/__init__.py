"""Qwen2.5-Omni and Qwen3-Omni in this process: ``qwen-omni:FOLDER_OR_REPO``; needs the extra ``qwen``.

From a variant to a reply::

    frames ── grid ──▶ picture ─┐
                                ├─ front ─▶ tokens, features ── sharing ──▶ scoring, greedy text
    samples ──────────▶ sound ──┘              (layout)         (thinker)

Nothing here imports torch until a model is used, so that it can be listed where torch is missing.
"""

from offbeat.models.qwen.model import QwenOmni

__all__ = ["QwenOmni"]
