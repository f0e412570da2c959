"""Gemini through the service of Google; one idea a file.

`settings` what can be set; `request` what is sent; `wire` and `reading` what came back; `tokens` how much it is;
`errors` what can go wrong; `connection` the client, `bounds` how long and how much, and `rest` what is asked past it;
`cache` and `uploads` clips too large to be sent along; `submitting`, `collecting` and `jobs` batches; `model` brings
them together.
"""

from offbeat.models.gemini.model import Gemini

__all__ = ["Gemini"]
