"""A worker in plain Python that answers by the bytes of the clip, and that misbehaves on request.

``tiny_worker.py [together] [arrays] [blind] [slow] [log=FILE] [do=MISCHIEF[@N]]``: done at the N-th ask, the first by
default; with ``once=FILE`` only by the process that makes that file. Errors are told at every ask, or at the N-th.
"""

import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

words = sys.argv[1:]
flags = {word for word in words if "=" not in word}
values = dict(word.split("=", 1) for word in words if "=" in word)
mischief, only, at = values.get("do", "").partition("@")
at = int(at or 1)
if mischief and "once" in values:
    try:
        Path(values["once"]).touch(exist_ok=False)
    except FileExistsError:
        mischief = ""


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def log(text):
    if "log" in values:
        with Path(values["log"]).open("a") as file:
            file.write(f"{os.getpid()} {text}\n")


def word_of(ask):
    if "arrays" in flags:
        data = b"".join(Path(ask["arrays"][what]).read_bytes() for what in ("frames", "times_s", "sound"))
    else:
        data = Path(ask["file"]).read_bytes()
    options = ask["prompt"]["words"]
    return options[hashlib.sha256(data).digest()[0] % len(options)]


def misbehave(ask):
    if mischief == "die":
        sys.stderr.write("out of luck\n")
        sys.stderr.flush()
        os._exit(3)
    if mischief == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if mischief == "die-on" and ask["clip"]["variant_id"] == values["variant"]:
        os._exit(4)
    if mischief == "hang":
        time.sleep(600)
    if mischief in ("hang-with-child", "die-with-child"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        log(f"child {child.pid}")
        if mischief == "die-with-child":
            os._exit(5)
        time.sleep(600)
    if mischief == "rubbish":
        print("{ this is no JSON")
        sys.stdout.flush()
        time.sleep(600)
    if mischief == "half":
        sys.stdout.write('{"type": "reply", "id": ')
        sys.stdout.flush()
        os._exit(0)
    if mischief == "huge":
        sys.stdout.write("{" + "x" * (6 << 20))
        sys.stdout.flush()
        time.sleep(600)
    if mischief == "wrong-id":
        say({"type": "reply", "id": ask["id"] + 7, "text": "ahead"})
    if mischief == "unknown-field":
        say({"type": "reply", "id": ask["id"], "text": "ahead", "probability": 1})
    if mischief == "chatter":
        print("Loading checkpoint shards: 100%\n\nDone")
        sys.stdout.flush()
    if mischief == "memory":
        bytearray(600 << 20)
    if mischief == "shred":
        Path(ask["file"]).write_bytes(b"gone")


if "start" in values:
    if values["start"] == "exit":
        sys.exit("ModuleNotFoundError: No module named 'tinymodel'")
    if values["start"] == "hang":
        time.sleep(600)
    if values["start"] == "silent":
        sys.exit(0)
hello = {
    "type": "hello",
    "protocol": int(values.get("protocol", 1)),
    "name": "tiny",
    "revision": values.get("revision", "1"),
    "together": "together" in flags,
    "looks": "blind" not in flags,
}
if "revisions" in values:
    with Path(values["revisions"]).open("a") as file:
        file.write("x")
    hello["revision"] = str(Path(values["revisions"]).stat().st_size)
if "arrays" in flags:
    hello |= {"media": "arrays", "fps": 5, "height": 24, "sound_hz": 16000}
log("hello " + shlex.join(f"{name}={value}" for name, value in sorted(os.environ.items())))
say(hello)
done = 0
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "close":
        log("close")
        break
    for ask in message.get("asks", [message]):
        done += 1
        time.sleep(0.05 if "slow" in flags else 0)
        log(f"ask {ask['clip']['clip_id']} {ask['clip']['variant_id']}")
        if mischief.startswith("error-") and (done == at or not only):
            say({"type": "error", "id": ask["id"], "kind": mischief.removeprefix("error-"), "message": "no luck"})
            continue
        if mischief and (done == at or mischief == "die-on"):
            misbehave(ask)
        say({"type": "reply", "id": ask["id"], "text": word_of(ask), "usage": {"input_tokens": 7}})
