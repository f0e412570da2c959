"""Text of others on a terminal."""

from offbeat.cli.table import one_line, printable


def test_what_a_terminal_would_act_upon_is_shown():
    assert printable("red \x1b[31m\r\nnext") == "red \\x1b[31m\\r\nnext"
    assert one_line("two\nlines \x07") == "two\\nlines \\x07"


def test_what_can_be_printed_stays():
    assert printable("été – 東京\n…") == "été – 東京\n…"
    assert one_line("x" * 300) == "x" * 199 + "…"
