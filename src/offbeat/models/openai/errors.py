"""What went wrong, in Offbeat's words, from `httpx2`'s exceptions, from status codes, and from errors inside a 200.

=====================================  =====================  ========================================================
signal                                 becomes                why
=====================================  =====================  ========================================================
429; code of throttling, any status    `RateLimited`          with Retry-After, in seconds or as a date
402; quota or credits used up          `ModelUnavailable`     waiting does not help; with Retry-After it is a rate
401, 403, 404, 3xx                     `ModelUnavailable`     key, right or name are wrong for every request alike
blocked by a filter, any status        a refused `Reply`      an outcome of its own, not a failure
408, 409, 425, 499, 5xx, transport     `TransientError`       may pass; `Unreachable` where there was no connection
200 with an error inside               by the error's code    OpenRouter, DashScope, old vLLM
other 4xx                              `RequestRejected`      this request is wrong, however often it is sent
=====================================  =====================  ========================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx2

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError, Unreachable
from offbeat.models.base import Reply
from offbeat.models.keys import redacted
from offbeat.models.openai.payload import mapping_of, shown

_MOST_WAIT_S = 86_400.0
_FAILURES = {str(status): status for status in range(400, 600)}
_BLOCKED = ("datainspectionfailed", "contentfilter", "contentpolicy", "contentmoderation", "moderation")
_RATE = ("throttling", "ratelimit", "resourceexhausted", "toomanyrequests")
_UNPAID = ("insufficientquota", "arrearage", "billing", "insufficientcredits", "insufficientbalance")
_NO_SUCH = ("modelnotfound", "modelnotexist", "invalidapikey", "accessdenied", "unauthorized")
_TOO_LONG = "send less: --option fps=… or --option height=…, or start the server with more (vLLM: --max-model-len)"
_TOO_LARGE = "send less: --option height=… or --option fps=…"
_HINTS = {
    "equal number of audio and video": "send the sound in the video alone: --option audio=video",
    "per-request mm_processor_kwargs": "start vLLM with --trust-request-mm-kwargs",
    "at most 0 audio": 'start vLLM with --limit-mm-per-prompt \'{"video":1,"audio":1}\'',
    "at most 0 video": 'start vLLM with --limit-mm-per-prompt \'{"video":1,"audio":1}\'',
    "only support stream": "type: --option stream=true",
    "logprobs": "type: --option logprobs=0, or start the server with a larger --max-logprobs",
    "maximum context length": _TOO_LONG,
    "maximum model length": _TOO_LONG,
    "video_url": "the model may take no video at all",
}
"""What to do, by what the server complains of."""
_OUT_OF_MEMORY = (
    "; the server is out of memory: send less (--option fps=… or --option height=…), or fewer at a time (--connections)"
)


def retry_after_s(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """How long the server wants us to wait: Retry-After (RFC 9110, 10.2.3) in seconds or as a date; None if unsaid."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), _MOST_WAIT_S) if seconds == seconds else None


def failure_of(
    spec: str, status: int, headers: Mapping[str, str], payload: Mapping[str, Any], text: str
) -> Reply | ModelError:
    """What a response means that is no completion.

    Args:
        spec: the model.
        status: of the response, or of the error inside it.
        headers: of the response.
        payload: the body, where it is a JSON object; else empty.
        text: the body.

    Returns:
        A refused reply, or the exception to raise.
    """
    code, said = _told(payload)
    code = code.removeprefix(str(status)).strip()
    whole = said or text or "no text"
    said = shown(whole)
    kind = "".join(letter for letter in code.lower() if letter.isalnum())
    wait_s = retry_after_s(headers)
    where = f"{spec}: status {status}{f', {shown(code)}' if code else ''}: {said}"
    metadata = mapping_of(mapping_of(payload.get("error")).get("metadata"))
    if any(word in kind for word in _BLOCKED) or "flagged_input" in metadata:
        return Reply(text="", stop="refused", details={"finish_reason": code or str(status), "refusal": said})
    if any(word in kind for word in _UNPAID) or (status == 402 and wait_s is None):
        return ModelUnavailable(f"{where}; check credits and billing")
    if status in (402, 429) or any(word in kind for word in _RATE) or (status == 503 and "RESOURCE_EXHAUSTED" in whole):
        return RateLimited(where, retry_after_s=wait_s)
    if 300 <= status < 400:
        return ModelUnavailable(
            f"{where}; it redirects to {shown(headers.get('location', 'nowhere'))}: mend --base-url"
        )
    if status in (401, 403, 407) or any(word in kind for word in _NO_SUCH):
        return ModelUnavailable(f"{where}; check the key, what it may use, and the model's name")
    if status in (404, 410):
        return ModelUnavailable(f"{where}; check the model's name and --base-url, which ends in /v1 on most servers")
    if status in (408, 409, 425, 499) or status >= 500:
        full = "out of memory" in whole.lower()
        return TransientError(where + (_OUT_OF_MEMORY if full else ""), retry_after_s=wait_s)
    hint = next((hint for sign, hint in _HINTS.items() if sign in whole.lower()), None)
    return RequestRejected(where + (f"; {hint}" if hint else ""))


def error_inside(payload: Mapping[str, Any]) -> int | None:
    """The status of an error inside a response of status 200; None where there is none.

    OpenRouter puts `error` into the object or a choice; DashScope and old vLLM put `code` and `message` side by side.
    """
    error = _error_of(payload)
    if error is None:
        return None
    for value in (error.get("code"), error.get("status"), error.get("http_code")):
        if (status := _FAILURES.get(str(value))) is not None:
            return status
    kind = str(error.get("type", "")).lower()
    return 400 if "invalid_request" in kind or "badrequest" in kind else 500


def transport_failure(spec: str, error: httpx2.HTTPError | httpx2.InvalidURL, *, sent: bool = True) -> ModelError:
    """What an exception of the client means; what nobody can know to have been free has `usage` None.

    Args:
        spec: the model.
        error: the exception.
        sent: whether the request had been handed over whole: one that was not is not answered, and costs nothing.
    """
    said = redacted(f"{spec}: {type(error).__name__}: {shown(str(error)) or 'no reason given'}")
    if isinstance(error, httpx2.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return ModelUnavailable(
            f"{said}; the server's certificate is not trusted; if it should be, type: export SSL_CERT_FILE=ITS.pem"
        )
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return Unreachable(f"{said}; is the server (or the proxy before it) running, and --base-url right?")
    if isinstance(error, httpx2.WriteError | httpx2.WriteTimeout | httpx2.PoolTimeout | httpx2.ProxyError):
        return TransientError(f"{said}; the request was not sent whole")
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | httpx2.InvalidURL):
        return ModelUnavailable(f"{said}; check --base-url and the key")
    if not sent:
        # a server (or a proxy before it) that wants no request of this size often hangs up instead of saying so
        return TransientError(
            f"{said}; the connection broke before the request was sent whole; if it always does, {_TOO_LARGE}"
        )
    return TransientError(f"{said}; the connection broke before the answer was there", usage=None)


def _told(payload: Mapping[str, Any]) -> tuple[str, str]:
    """Codes and message."""
    error = _error_of(payload) or {}
    codes = [error[name] for name in ("code", "type", "status") if isinstance(error.get(name), str | int)]
    raw = mapping_of(error.get("metadata")).get("raw")  # OpenRouter: what the provider said
    said = [part for part in (error.get("message"), raw) if isinstance(part, str)]
    return " ".join(dict.fromkeys(str(code) for code in codes)), " ".join(said)


def _error_of(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    error = payload.get("error")
    if isinstance(error, str) and error:
        return {"message": error}
    if told := mapping_of(error):
        return told
    choices = payload.get("choices")
    if isinstance(choices, list) and choices:
        return mapping_of(mapping_of(cast("list[Any]", choices)[0]).get("error")) or None
    return dict(payload) if "code" in payload and "message" in payload else None
