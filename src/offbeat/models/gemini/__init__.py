"""Gemini through the service of Google; one idea a file.

`settings` what can be set; `request` what is sent; `reading` what came back; `tokens` how much it is; `errors` what can
go wrong; `connection` the client; `cache` and `uploads` clips too large to be sent along; `batch` many at once; `model`
brings them together.
"""

from offbeat.models.gemini.model import Gemini

__all__ = ["Gemini"]
