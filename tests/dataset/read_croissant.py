"""Read a Croissant page with `mlcroissant`, without any network; run by an interpreter that has it, not by ours."""

from __future__ import annotations

import json
import logging
import socket
import sys


def refuse(*_: object, **__: object) -> None:
    raise OSError("no network here")


def plain(value: object) -> object:
    """Its texts are bytes, and its missing numbers no numbers."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return None if value != value else value


def main() -> None:
    socket.socket.connect = socket.socket.connect_ex = refuse
    socket.getaddrinfo = socket.create_connection = refuse
    import mlcroissant

    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logging.getLogger("absl").addHandler(handler)
    dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
    records = [
        {key.split("/", 1)[1]: plain(value) for key, value in record.items()} for record in dataset.records("variants")
    ]
    issues = dataset.metadata.ctx.issues
    told = {"errors": sorted(issues.errors), "warnings": sorted(issues.warnings), "said": said, "records": records}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
