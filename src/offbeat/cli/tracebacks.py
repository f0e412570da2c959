"""A fault of a model's code is shown with its traceback once, not for each of a thousand variants."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def each_once() -> Generator[None]:
    """While a model is asked: of tracebacks that differ in numbers alone, the first is shown.

    All of them are kept with the answers, and how many there were is told at the end.
    """
    from offbeat.evaluation.asking import __name__ as asking
    from offbeat.evaluation.calls.breaker import kind_of

    seen: set[tuple[object, str]] = set()

    def is_new(record: logging.LogRecord) -> bool:
        if not isinstance(record.args, tuple) or len(record.args) != 3:
            return True
        model, _, traceback = record.args
        kind = (model, kind_of(str(traceback)))
        new = kind not in seen
        seen.add(kind)
        return new

    log = logging.getLogger(asking)
    log.addFilter(is_new)
    try:
        yield
    finally:
        log.removeFilter(is_new)
