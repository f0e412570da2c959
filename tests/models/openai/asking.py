"""Asking the stand-in server once, or many times."""

import asyncio

from offbeat.models.base import Prompt
from offbeat.models.openai import OpenAI
from offbeat.timing import LABELS

PROMPT = Prompt(text="In step?\nReply with one word: sync, ahead, behind.", options=LABELS)
MODEL = "Qwen/Qwen2.5-Omni-7B"
KEY_NAMES = {
    "dashscope": "DASHSCOPE_API_KEY",
    "mimo": "MIMO_API_KEY",
    "fireworks": "FIREWORKS_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
}


def model_at(url, **options):
    return OpenAI(argument=options.pop("argument", MODEL), base_url=f"{url}/v1", **options)


def ask(model, *variants, prompt=PROMPT):
    """Replies, or the errors raised instead; the model is closed in the loop in which it was asked."""

    async def all_of_them():
        try:
            return await asyncio.gather(*(model.reply(one, prompt) for one in variants), return_exceptions=True)
        finally:
            await model.close()

    return asyncio.run(all_of_them())


def ask_one(model, variant, prompt=PROMPT):
    """The reply; an error is raised."""
    (reply,) = ask(model, variant, prompt=prompt)
    if isinstance(reply, BaseException):
        raise reply
    return reply
