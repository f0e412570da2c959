"""What the Gemini API says, on loopback: it checks a request as the real service does, and counts the tokens of the
clip that it was really sent.

`GeminiWire` is a wire of `servers.stand_in.StandIn`. Uploads and batches are kept; what an answer says can be amended
by a test, and an upload's or a batch's state set. A request that the real service would refuse is refused in its words.
"""

import base64
import hashlib
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import av

from servers.stand_in import Request, Response, say

KEY = "sentinel-key-0123456789-of-the-tests"
MODEL = "gemini-3.8-flash"

_TOP = {"contents", "generationConfig", "systemInstruction", "store", "safetySettings", "model"}
_PART = {"text", "inlineData", "fileData", "videoMetadata", "mediaProcessing"}
_CONFIG = {
    "maxOutputTokens",
    "temperature",
    "mediaResolution",
    "thinkingConfig",
    "responseLogprobs",
    "logprobs",
    "seed",
}
_RESOLUTIONS = {f"MEDIA_RESOLUTION_{level}" for level in ("LOW", "MEDIUM", "HIGH")}
_GENERATE = re.compile(r"/(?P<version>\w+)/models/(?P<model>[\w.-]+):(?P<verb>generateContent|batchGenerateContent)")
_FILE = re.compile(r"/(?P<version>\w+)/(?P<name>files/[\w-]+?)(?P<download>:download)?")
_BATCH = re.compile(r"/(?P<version>\w+)/(?P<name>batches/[\w-]+)")


class Refused(Exception):
    """An answer other than 200, in the service's own form."""

    def __init__(self, code: int, status: str, message: str, details: list[Any] | None = None) -> None:
        super().__init__(message)
        error = {"code": code, "message": message, "status": status, **({"details": details} if details else {})}
        self.code, self.body = code, {"error": error}


def refused(code: int, status: str, message: str, details: list[Any] | None = None, **headers: str) -> Response:
    """The same as a response, for a fault; `retry_after="3"` is a header."""
    body = Refused(code, status, message, details).body
    return say(body, code, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class File:
    """An upload.

    Attributes:
        states: what is said of it, one after the other; the last stays.
    """

    name: str
    mime_type: str
    announced: int
    states: list[str]
    data: bytes = b""
    gone: bool = False
    asked: int = 0

    def told(self, host: str, version: str) -> dict[str, Any]:
        state = self.states[min(self.asked, len(self.states) - 1)]
        told = {
            "name": self.name,
            "uri": f"http://{host}/{version}/{self.name}",
            "mimeType": self.mime_type,
            "sizeBytes": str(len(self.data)),
            "sha256Hash": base64.b64encode(hashlib.sha256(self.data).hexdigest().encode()).decode(),
            "state": state,
        }
        return {**told, **({"error": {"code": 3, "message": "no video stream"}} if state == "FAILED" else {})}


@dataclass
class Batch:
    """A job, whose questions are answered at once and told when its state is set."""

    name: str
    display_name: str
    results: list[dict[str, Any]]
    in_file: bool
    state: str = "BATCH_STATE_PENDING"
    error: dict[str, Any] | None = None
    done: bool | None = None
    ended_at: str | None = None


@dataclass
class GeminiWire:
    """The service.

    Attributes:
        amend: changes each answer before it is said; None leaves it.
        amend_lines: changes the file of a batch's results.
        new_states: of the files that are uploaded next.
        expires: until when it says that files are kept; None: not at all.
        logprobs: whether the model gives them.
        clips: the bytes that the model was shown, in order.
        leaks: requests in which the key stood outside its header.
        page: how many batches are listed at once.
        piece_bytes: in which results are sent.
    """

    model: str = MODEL
    served: str | None = None
    version: str = "v1beta"
    text: str = "behind"
    amend: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda answer: None
    amend_lines: Callable[[list[bytes]], list[bytes]] = lambda lines: lines
    new_states: list[str] = field(default_factory=lambda: ["ACTIVE"])
    expires: str | None = None
    logprobs: bool = False
    files: dict[str, File] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    clips: list[bytes] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    page: int = 100
    piece_bytes: int = 1 << 16

    def __call__(self, request: Request) -> Response:
        try:
            self._check_key(request)
            return self._answer(request)
        except Refused as refusal:
            return say(refusal.body, refusal.code)

    def _check_key(self, request: Request) -> None:
        if KEY in request.target or KEY.encode() in request.body:
            self.leaks.append(request.target)
        if request.path.startswith("/upload/") and "upload_id" in request.query:
            return  # the address is the secret
        given = request.headers.get("x-goog-api-key")
        if given is None:
            raise Refused(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        if given != KEY:
            info = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
            raise Refused(400, "INVALID_ARGUMENT", f"API key not valid: {given}. Please pass a valid API key.", info)

    def _answer(self, request: Request) -> Response:
        if match := _GENERATE.fullmatch(request.path):
            self._check_version(match["version"])
            if match["model"] != self.model:
                message = f"models/{match['model']} is not found for API version {self.version}, or is not supported."
                raise Refused(404, "NOT_FOUND", message)
            body = _camel(request.json())
            return say(self._generate(body) if match["verb"] == "generateContent" else self._take_batch(body))
        if request.path == f"/{self.version}/batches" and request.method == "GET":
            return say(self._list(request))
        if request.path == f"/upload/{self.version}/files":
            return self._upload(request)
        if (match := _BATCH.fullmatch(request.path)) and request.method == "GET":
            self._check_version(match["version"])
            return self._tell_batch(match["name"])
        if (match := _FILE.fullmatch(request.path)) and request.method == "GET":
            self._check_version(match["version"])
            if match["download"]:
                return self._download(match["name"], request)
            file = self._file(match["name"])
            file.asked += 1
            return say(self._told_of(file, request))
        raise Refused(404, "NOT_FOUND", f"Requested entity was not found: {request.method} {request.path}")

    def _check_version(self, version: str) -> None:
        if version != self.version:
            raise Refused(404, "NOT_FOUND", f"API version {version} is not known")

    # --- answers

    def _generate(self, body: dict[str, Any]) -> dict[str, Any]:
        _known(body, _TOP, "")
        if body.get("store") is not False:
            raise Refused(400, "INVALID_ARGUMENT", "stand-in: expected store to be false")
        config = body.get("generationConfig", {})
        _known(config, _CONFIG, "generation_config")
        _check_config(config, self.model)
        if config.get("responseLogprobs") and not self.logprobs:
            raise Refused(400, "INVALID_ARGUMENT", f"Logprobs is not enabled for models/{self.model}")
        (turn,) = body["contents"]
        parts = turn["parts"]
        if turn.get("role") != "user" or ["text" in part for part in parts] != [False, True]:
            raise Refused(400, "INVALID_ARGUMENT", "stand-in: expected one turn of the user, its video before its text")
        for part in parts:
            _known(part, _PART, "contents[0].parts")
        data = self._media(parts[0])
        fps = _fps(parts[0].get("videoMetadata", {}))
        if parts[0].get("mediaProcessing", "STATIC") not in ("STATIC", "AGENTIC"):
            raise Refused(400, "INVALID_ARGUMENT", "Invalid value at 'media_processing'")
        self.clips.append(data)
        answer = self._reply(data, fps, parts[1]["text"], config)
        amended = self.amend(answer)
        return answer if amended is None else amended

    def _media(self, part: dict[str, Any]) -> bytes:
        media = part.get("inlineData") or part.get("fileData")
        if media is None or media.get("mimeType") != "video/mp4":
            raise Refused(400, "INVALID_ARGUMENT", "Unsupported MIME type")
        if "data" in media:
            data = base64.b64decode(media["data"].translate(str.maketrans("-_", "+/")), validate=True)
        else:
            file = self._file("files/" + media["fileUri"].rpartition("/")[2])
            if file.states[min(file.asked, len(file.states) - 1)] != "ACTIVE":
                message = f"The File {file.name} is not in an ACTIVE state and usage is not allowed."
                raise Refused(400, "FAILED_PRECONDITION", message)
            data = file.data
        if data[4:8] != b"ftyp":
            raise Refused(400, "INVALID_ARGUMENT", "The video is corrupted.")
        return data

    def _reply(self, data: bytes, fps: float, prompt: str, config: dict[str, Any]) -> dict[str, Any]:
        with av.open(io.BytesIO(data)) as media:
            seconds = (media.duration or 0) / av.time_base
            heard = bool(media.streams.audio)
        frame = 70 if not self.model.startswith("gemini-2") else 258
        counts = {"TEXT": len(prompt) // 4 + 1, "VIDEO": math.ceil(seconds * fps) * frame}
        if heard:
            counts["AUDIO"] = math.ceil(seconds) * 32
        candidate: dict[str, Any] = {
            "content": {"role": "model", "parts": [{"text": self.text}]},
            "finishReason": "STOP",
            "index": 0,
        }
        if config.get("responseLogprobs"):
            candidate["logprobsResult"] = {
                "chosenCandidates": [{"token": "behind", "tokenId": 9, "logProbability": -0.5}],
                "topCandidates": [
                    {
                        "candidates": [
                            {"token": "behind", "logProbability": -0.5},
                            {"token": "ahead", "logProbability": -1.5},
                            {"token": "The", "logProbability": -2.5},
                        ]
                    }
                ],
            }
        details = [{"modality": modality, "tokenCount": count} for modality, count in counts.items()]
        return {
            "candidates": [candidate],
            "usageMetadata": {
                "promptTokenCount": sum(counts.values()),
                "candidatesTokenCount": 1,
                "thoughtsTokenCount": 40,
                "totalTokenCount": sum(counts.values()) + 41,
                "promptTokensDetails": details,
            },
            "modelVersion": self.served or self.model,
            "responseId": "response-1",
        }

    # --- uploads

    def _file(self, name: str) -> File:
        file = self.files.get(name)
        if file is None or file.gone:
            message = (
                f"You do not have permission to access the File {name.removeprefix('files/')} or it may not exist."
            )
            raise Refused(403, "PERMISSION_DENIED", message)
        return file

    def _upload(self, request: Request) -> Response:
        headers = request.headers
        if "upload_id" not in request.query:
            if headers.get("x-goog-upload-protocol") != "resumable" or headers.get("x-goog-upload-command") != "start":
                raise Refused(400, "INVALID_ARGUMENT", "expected the start of a resumable upload")
            announced = int(headers["x-goog-upload-header-content-length"])
            told = _camel(request.json())["file"]
            if int(told["sizeBytes"]) != announced or told["mimeType"] != headers["x-goog-upload-header-content-type"]:
                raise Refused(400, "INVALID_ARGUMENT", "headers and body of the upload differ")
            number = len(self.files) + 1
            self.files[f"files/up{number}"] = File(f"files/up{number}", told["mimeType"], announced, self.new_states)
            address = f"http://{headers['host']}/upload/{self.version}/files?upload_id=up{number}"
            return say({}, 200, {"x-goog-upload-url": address, "x-goog-upload-status": "active"})
        file = self.files["files/" + request.query["upload_id"][0]]
        if int(headers["x-goog-upload-offset"]) != len(file.data) or int(headers["content-length"]) != len(
            request.body
        ):
            raise Refused(400, "INVALID_ARGUMENT", "a piece of the upload is not at its place")
        file.data += request.body
        if "finalize" not in headers["x-goog-upload-command"]:
            return say({}, 200, {"x-goog-upload-status": "active"})
        if len(file.data) != file.announced:
            raise Refused(400, "INVALID_ARGUMENT", f"{file.announced} bytes were announced, {len(file.data)} came")
        return say({"file": self._told_of(file, request)}, 200, {"x-goog-upload-status": "final"})

    def _told_of(self, file: File, request: Request) -> dict[str, Any]:
        told = file.told(request.headers["host"], self.version)
        return told if self.expires is None else {**told, "expirationTime": self.expires}

    # --- batches

    def _take_batch(self, body: dict[str, Any]) -> dict[str, Any]:
        source = body["batch"]["inputConfig"]
        in_file = "fileName" in source
        if in_file:
            file = self._file(source["fileName"])
            entries = [json.loads(line) for line in file.data.decode().splitlines()]
        else:
            entries = source["requests"]["requests"]
        results: list[dict[str, Any]] = []
        for entry in entries:
            named = {"key": entry["key"]} if in_file else {"metadata": entry["metadata"]}
            try:
                results.append({**named, "response": self._generate(_camel(entry["request"]))})
            except Refused as refusal:
                results.append({**named, "error": refusal.body["error"]})
        batch = Batch(f"batches/b{len(self.batches) + 1}", body["batch"]["displayName"], results, in_file)
        self.batches[batch.name] = batch
        return self._told(batch)

    def _told(self, batch: Batch) -> dict[str, Any]:
        metadata: dict[str, Any] = {"displayName": batch.display_name, "state": batch.state}
        if batch.ended_at:
            metadata["endTime"] = batch.ended_at
        if batch.state.endswith("_SUCCEEDED"):
            own = f"files/{batch.name.replace('/', '-')}"
            listed = {"inlinedResponses": {"inlinedResponses": batch.results}}
            metadata["output"] = {"responsesFile": own} if batch.in_file else listed
        told = {"name": batch.name, "metadata": metadata, **({} if batch.done is None else {"done": batch.done})}
        return {**told, **({"error": batch.error} if batch.error else {})}

    def _list(self, request: Request) -> dict[str, Any]:
        (start,) = request.query.get("pageToken", ["0"])
        told = [self._told(batch) for batch in reversed(self.batches.values())]
        page: dict[str, Any] = {"operations": told[int(start) : int(start) + self.page]}
        return {**page, "nextPageToken": str(int(start) + self.page)} if told[int(start) + self.page :] else page

    def _tell_batch(self, name: str) -> Response:
        if name not in self.batches:
            raise Refused(404, "NOT_FOUND", f"Requested entity was not found: {name}")
        return say(self._told(self.batches[name]))

    def _download(self, name: str, request: Request) -> Response:
        batch = self.batches.get(name.removeprefix("files/").replace("batches-", "batches/"))
        if batch is None or request.query.get("alt") != ["media"]:
            raise Refused(404, "NOT_FOUND", f"{name} cannot be downloaded")
        body = b"\n".join(self.amend_lines([json.dumps(result).encode() for result in batch.results])) + b"\n"
        pieces = tuple(body[at : at + self.piece_bytes] for at in range(0, len(body), self.piece_bytes))
        return Response(200, pieces, {"content-type": "application/octet-stream"})


def _camel(value: Any) -> Any:
    """The service reads both ways of writing a name, as all of protobuf's JSON."""
    if isinstance(value, dict):
        return {re.sub(r"_([a-z])", lambda m: m[1].upper(), key): _camel(inner) for key, inner in value.items()}
    return [_camel(inner) for inner in value] if isinstance(value, list) else value


def _known(fields: dict[str, Any], known: set[str], where: str) -> None:
    for name in fields:
        if name not in known:
            message = f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field."
            raise Refused(400, "INVALID_ARGUMENT", message)


def _fps(metadata: dict[str, Any]) -> float:
    _known(metadata, {"fps", "startOffset", "endOffset"}, "video_metadata")
    fps = metadata.get("fps", 1.0)
    if not 0 < fps <= 24:
        raise Refused(400, "INVALID_ARGUMENT", "fps must be in (0.0, 24.0]")
    return fps


def _check_config(config: dict[str, Any], model: str) -> None:
    if not 1 <= config.get("maxOutputTokens", 1) <= 65_536:
        raise Refused(400, "INVALID_ARGUMENT", "max_output_tokens must be in [1, 65536]")
    if config.get("mediaResolution", "MEDIA_RESOLUTION_LOW") not in _RESOLUTIONS:
        raise Refused(400, "INVALID_ARGUMENT", "Invalid value at 'generation_config.media_resolution'")
    thinking = config.get("thinkingConfig", {})
    _known(thinking, {"thinkingLevel", "thinkingBudget"}, "thinking_config")
    old = model.startswith("gemini-2")
    if "thinkingLevel" in thinking:
        levels = {"LOW", "MEDIUM", "HIGH"} | ({"MINIMAL"} if model.startswith(("gemini-3.5", "gemini-3-")) else set())
        if old or thinking["thinkingLevel"] not in levels:
            raise Refused(400, "INVALID_ARGUMENT", "Thinking level is not supported for this model.")
    if "thinkingBudget" in thinking and not old:
        raise Refused(400, "INVALID_ARGUMENT", "Thinking budget is not supported for this model.")
