"""``openai:MODEL``: servers that speak OpenAI's chat format."""

from offbeat.models.openai.model import OpenAI

__all__ = ["OpenAI"]
