"""Lines over pipes: however they are cut up, whoever is slow."""

import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offbeat.models.worker.lines import LONGEST_LINE, Closed, Lines, TooLong, TooSlow
from offbeat.models.worker.protocol import ProtocolError, read_message


class Pair:
    """Both pipes, with the other process's ends."""

    def __enter__(self):
        self.theirs, to = os.pipe()
        back, self.mine = os.pipe()
        self._all = {self.theirs, to, back, self.mine}
        self.lines = Lines(to, back)
        return self

    def shut(self, end):
        self._all.discard(end)
        os.close(end)

    def __exit__(self, *_):
        for end in self._all:
            os.close(end)


def soon():
    return time.monotonic() + 10


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")), max_size=8), st.randoms())
def test_lines_come_out_as_they_went_in(sent, random):
    data = b"".join(line + b"\n" for line in sent)
    with Pair() as pair:
        received = []
        while data:
            cut = random.randint(1, len(data))
            os.write(pair.mine, data[:cut])
            data = data[cut:]
            received += [pair.lines.receive(deadline_s=soon()) for _ in range(_whole(sent, data, len(received)))]
        assert received == sent


def _whole(sent, left, done):
    return len(sent) - left.count(b"\n") - done


def test_the_end_comes_after_what_was_said():
    with Pair() as pair:
        os.write(pair.mine, b"one\ntwo\nhal")
        pair.shut(pair.mine)
        pair.shut(pair.theirs)
        with pytest.raises(Closed):
            pair.lines.send(b"x" * 200_000 + b"\n", deadline_s=soon())
        assert [pair.lines.receive(deadline_s=soon()) for _ in "ab"] == [b"one", b"two"]
        with pytest.raises(Closed):
            pair.lines.receive(deadline_s=soon())


def test_silence_ends_with_the_time():
    with Pair() as pair:
        with pytest.raises(TooSlow):
            pair.lines.receive(deadline_s=time.monotonic() + 0.05)
        with pytest.raises(TooSlow):
            pair.lines.send(b"x" * (1 << 20) + b"\n", deadline_s=time.monotonic() + 0.05)


def test_no_line_fills_the_memory():
    with Pair() as pair:
        stop = threading.Event()

        def pour():
            while not stop.is_set():
                try:
                    os.write(pair.mine, b"x" * 60_000)
                except OSError:
                    return

        thread = threading.Thread(target=pour)
        thread.start()
        with pytest.raises(TooLong):
            pair.lines.receive(deadline_s=soon())
        assert len(pair.lines._begun) <= LONGEST_LINE + (1 << 16)
        stop.set()
        os.set_blocking(pair.lines._back, False)
        while thread.is_alive():
            try:
                os.read(pair.lines._back, 1 << 20)
            except BlockingIOError:
                time.sleep(0.001)


def test_one_that_writes_much_before_it_reads_blocks_nobody():
    with Pair() as pair:

        def other():
            for _ in range(20):
                os.write(pair.mine, b"y" * 50_000 + b"\n")
            left = 500_001
            while left:
                left -= len(os.read(pair.theirs, 1 << 16))

        thread = threading.Thread(target=other)
        thread.start()
        pair.lines.send(b"x" * 500_000 + b"\n", deadline_s=soon())
        assert sum(len(pair.lines.receive(deadline_s=soon())) for _ in range(20)) == 1_000_000
        thread.join()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{}", "Unable to extract tag"),
        (b'{"type": "bye"}', "does not match any of the expected tags"),
        (b'{"type": "reply", "id": 1}', "text: Field required"),
        (b'{"type": "reply", "id": "one", "text": ""}', "id: Input should be a valid integer"),
        (b'{"type": "reply", "id": 1, "text": "", "probabilities": {"a": NaN}}', "probabilities"),
        (b'{"type": "reply", "id": 1, "text": "", "stop": "done"}', "stop: Input should be 'complete'"),
        (b'{"type": "error", "id": 1, "kind": "bad", "message": ""}', "kind: Input should be 'rate'"),
        (b'{"type": "hello", "protocol": 1, "name": "n", "revision": "1", "fps": 0}', "fps: Input should be greater"),
        (b"\xff\xfe{", "wrote"),
    ],
)
def test_what_is_no_message_is_told(line, told):
    with pytest.raises(ProtocolError, match=told):
        read_message(line)
