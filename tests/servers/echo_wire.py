"""The simplest wire: it says what it is asked to say."""

from servers.stand_in import Request, Response, say


def echo(request: Request) -> Response:
    return say({"text": request.json()["say"]})
