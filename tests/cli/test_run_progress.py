"""Progress: what is counted is what is shown, from any thread, on a terminal and off it."""

import io
import threading

import pytest

from offbeat.cli.progress import PlainProgress, duration, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_come_at_intervals_with_rate_and_time_left():
    now, lines = [0.0], []
    shown = PlainProgress("asking", 100, write=lines.append, interval_s=5, clock=lambda: now[0])
    for second in range(1, 11):
        now[0] = float(second)
        shown.advance(2)
    shown.close()
    assert lines == [
        "asking: 10 of 100, 2.0/s, 45 s left",
        "asking: 20 of 100, 2.0/s, 40 s left",
        "asking: 20 of 100, 2.0/s, took 10 s",
    ]


def test_what_goes_before_the_first_step_is_no_part_of_the_rate():
    """A probe of 100 s; and a server that is slow at first."""
    now, lines = [0.0], []
    shown = PlainProgress("asking", 1000, write=lines.append, interval_s=5, clock=lambda: now[0])
    for now[0], steps in [(100.0, 1), (105.0, 10), (110.0, 100), *((115.0 + 5 * k, 100) for k in range(7))]:
        shown.advance(steps)
    shown.close()
    assert lines[:3] == [
        "asking: 1 of 1000",
        "asking: 11 of 1000, 2.0/s, 8 min 14 s left",
        "asking: 111 of 1000, 11.0/s, 1 min 21 s left",
    ]
    assert lines[-2:] == ["asking: 811 of 1000, 20.0/s, 9 s left", "asking: 811 of 1000, 5.6/s, took 2 min 25 s"]


def test_plain_lines_off_a_terminal_even_when_the_block_fails():
    stream = io.StringIO()

    def fail() -> None:
        with progress("building", None, stream=stream) as advance:
            advance(3)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert stream.getvalue().startswith("building: 3")
    assert "\x1b" not in stream.getvalue()


def test_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with progress("asking [bold]", 4, stream=stream) as advance:
        advance(4)
    assert "asking [bold]" in stream.getvalue()
    assert "4/4" in stream.getvalue()


def left_of(stream: io.StringIO) -> str:
    """What is to be seen in the end: after the terminal's last wiping of the line."""
    return stream.getvalue().split("\x1b[2K")[-1]


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_where_no_step_was_made_nothing_is_left(kind, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    failed, refused, idle = kind(), kind(), kind()

    def fail() -> None:
        with progress("asking", 40, stream=failed):
            raise ValueError("no key")

    with pytest.raises(ValueError, match="no key"):
        fail()
    with progress("asking", 40, stream=refused):
        pass
    with progress("asking", 0, stream=idle):
        pass
    assert "asking" not in left_of(failed) + left_of(refused)
    assert "asking" in left_of(idle)


def test_no_step_is_lost_between_threads():
    lines = []
    shown = PlainProgress("asking", 4000, write=lines.append, interval_s=1e9)
    threads = [threading.Thread(target=lambda: [shown.advance() for _ in range(1000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown.close()
    assert lines[-1].startswith("asking: 4000 of 4000")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (12000, "3 h 20 min")]
)
def test_durations_for_people(seconds, text):
    assert duration(seconds) == text
