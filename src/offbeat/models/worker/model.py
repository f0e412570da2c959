"""``worker:COMMAND``: a model that runs in processes of its own.

A clip's variants go to one worker, one after the other or together, as the worker wishes; several workers take several
clips at a time. A worker that is lost in the middle of a clip is replaced, and what had no reply is asked once more,
variant by variant, so that one that no worker survives costs no other. After three losses without a reply in between,
the rest of the clip is given up. What a worker itself says may pass is asked again by who asked us.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Iterator, Sequence
from queue import LifoQueue

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, ModelUnavailable, TransientError
from offbeat.models.base import Prompt, Reply
from offbeat.models.worker.media import Layout
from offbeat.models.worker.process import Lost, Process
from offbeat.models.worker.protocol import PROTOCOL, ErrorMessage, Hello, ReplyMessage, prompt_message
from offbeat.models.worker.settings import settings_from

MOST_LOSSES = 3
"""Workers lost in a row, without a reply in between, before the rest of a clip is given up."""


class _Open:
    """What is still to be asked of a clip's variants, by their places.

    Args:
        count: of variants.
        most_lost: how many workers may be lost over each.

    Attributes:
        said: what there is.
        left: what is to be asked next, in this order.
        alone: a worker was lost, so that the others are asked about one by one.
    """

    def __init__(self, count: int, most_lost: int) -> None:
        self.said: dict[int, Reply | ModelError] = {}
        self.left = list(range(count))
        self.alone = False
        self._losses = 0
        self._lost = [0] * count
        self._most_lost = most_lost

    def replied(self, which: int, message: Reply | ModelError) -> None:
        """Keep it."""
        self._losses = 0
        if which not in self.left:
            return
        self.said[which] = message
        self.left.remove(which)
        if isinstance(message, ModelUnavailable):
            self._give_up(self.left, message)

    def lost(self, now: Sequence[int], error: ModelError) -> None:
        """The worker was lost over these: if it was asked about one alone, that may be its fault."""
        self.alone = True
        if len(now) == 1:
            self._losses += 1
            self._lost[now[0]] += 1
        spent = [which for which in self.left if self._lost[which] >= self._most_lost or self._losses >= MOST_LOSSES]
        self._give_up(spent, error)

    def _give_up(self, spent: Sequence[int], error: ModelError) -> None:
        self.said.update(dict.fromkeys(spent, error))
        self.left = [which for which in self.left if which not in spent]


class Worker:
    """A program of your own that speaks JSON lines; see docs/howto/workers.md.

    Args:
        argument: its command, split as a shell would, but no shell is asked.
        workers: how many at the same time; as many as devices, or one.
        devices: such as ``0,1``: worker k is given the k-th of them ...
        device_env: ... in this environment variable.
        env: names of further environment variables that it is given; secrets are not, unless named here.
        start_s: the longest that its start may take, and loading before its first reply.
        timeout_s: the longest that a reply may take.
        memory_gb: address space that each may have, for workers on a CPU.

    Raises:
        ModelUnavailable: an option is not what it should be, or the worker does not start.
    """

    def __init__(
        self,
        *,
        argument: str,
        workers: int | None = None,
        devices: str | int | list[str | int] | None = None,
        device_env: str = "CUDA_VISIBLE_DEVICES",
        env: str | list[str] | None = None,
        start_s: float = 600.0,
        timeout_s: float = 600.0,
        memory_gb: float | None = None,
    ) -> None:
        self._spec = f"worker:{argument}"
        self._settings = settings_from(
            argument,
            workers=workers,
            devices=devices,
            device_env=device_env,
            env=env,
            start_s=start_s,
            timeout_s=timeout_s,
            memory_gb=memory_gb,
        )
        self._running: dict[int, Process] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _end_all, self._running)
        self._hello: Hello | None = None
        self._hello = self._started(0).hello
        self._idle: LifoQueue[int] = LifoQueue()  # the one that was used last has its weights loaded
        for place in reversed(range(self.at_once)):
            self._idle.put(place)

    @property
    def name(self) -> str:
        """``worker:`` and the command."""
        return self._spec

    @property
    def revision(self) -> str:
        """What the worker says of itself, and how it is shown its clips."""
        hello = self._greeting()
        shown = "" if hello.media == "file" else f" fps={hello.fps} height={hello.height} sound_hz={hello.sound_hz}"
        return f"{hello.name} {hello.revision} protocol={PROTOCOL} media={hello.media}{shown}"

    @property
    def looks(self) -> bool:
        """As the worker says."""
        return self._greeting().looks

    @property
    def at_once(self) -> int:
        """As many clips as workers."""
        return len(self._settings.environments)

    def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """What the worker says of one variant; it is asked once.

        Raises:
            ModelError: as the worker says; or TransientError where it was lost.
        """
        (said,) = self._said([variant], [prompt], most_lost=1, lost=TransientError)
        if isinstance(said, ModelError):
            raise said
        return said

    def replies(self, variants: Sequence[Variant], prompts: Sequence[Prompt]) -> Sequence[Reply | ModelError]:
        """What one worker says of these variants.

        A variant over which two workers were lost has an error that will not pass: each start may take minutes.

        Raises:
            ModelUnavailable: no worker can be started.
        """
        return self._said(variants, prompts, most_lost=2, lost=ModelError)

    async def close(self) -> None:
        """End all workers; the next ask starts them anew."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._lock:
            ending = list(self._running.values())
            self._running.clear()
        threads = [threading.Thread(target=process.end, kwargs={"gently": True}) for process in ending]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _said(
        self, variants: Sequence[Variant], prompts: Sequence[Prompt], *, most_lost: int, lost: type[ModelError]
    ) -> list[Reply | ModelError]:
        clip = _Open(len(variants), most_lost)
        place = self._idle.get()
        try:
            while clip.left:
                process = self._started(place)
                now = tuple(clip.left) if process.hello.together and not clip.alone else (clip.left[0],)
                try:
                    for which, message in self._asked(process, now, variants, prompts):
                        clip.replied(which, message)
                except Lost as failure:
                    self._forget(place)
                    clip.lost(now, lost(f"{self._spec}: the worker {failure}"))
        finally:
            self._idle.put(place)
        return [clip.said[which] for which in range(len(variants))]

    def _asked(
        self, process: Process, now: Sequence[int], variants: Sequence[Variant], prompts: Sequence[Prompt]
    ) -> Iterator[tuple[int, Reply | ModelError]]:
        """What a worker says of some of the variants, each with its place among all."""
        with Layout(process.hello, process.scratch) as layout:
            messages: list[dict[str, object]] = []
            laid_out: list[int] = []
            for which in now:
                try:
                    messages.append({**layout.of(variants[which], which), "prompt": prompt_message(prompts[which])})
                    laid_out.append(which)
                except ModelError as error:
                    yield which, error
            if not messages:
                return
            limit_s = self._settings.timeout_s * len(messages) + (self._settings.start_s if process.fresh else 0)
            for at, message in process.ask(messages, limit_s=limit_s):
                yield laid_out[at], self._read(message)

    def _read(self, message: ReplyMessage | ErrorMessage) -> Reply | ModelError:
        return message.reply() if isinstance(message, ReplyMessage) else message.error(self._spec)

    def _greeting(self) -> Hello:
        if self._hello is None:
            raise ModelUnavailable(f"{self._spec}: the worker has not said who it is")
        return self._hello

    def _started(self, place: int) -> Process:
        """The worker of this place, started if need be.

        Raises:
            ModelUnavailable: it does not start, or says that it is another one than before.
        """
        with self._lock:
            running = self._running.get(place)
        if running is not None:
            return running
        settings = self._settings
        try:
            process = Process(
                settings.command,
                environment=settings.environments[place],
                memory_bytes=settings.memory_bytes,
                start_s=settings.start_s,
            )
        except Lost as failure:
            raise ModelUnavailable(f"{self._spec}: the worker {failure}") from failure
        if self._hello is not None and process.hello != self._hello:
            process.end()
            raise ModelUnavailable(
                f"{self._spec}: the worker says it is {process.hello.name} {process.hello.revision}; "
                f"before it was {self._hello.name} {self._hello.revision}"
            )
        with self._lock:
            self._running[place] = process
        return process

    def _forget(self, place: int) -> None:
        with self._lock:
            process = self._running.pop(place, None)
        if process is not None:
            process.end()


def _end_all(running: dict[int, Process]) -> None:
    for process in list(running.values()):
        process.end()
    running.clear()
