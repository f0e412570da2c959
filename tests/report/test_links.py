"""Every number that was measured opens the variants behind it."""

import re
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import pytest
from report_samples import data_block, guess, sample_answers, sample_dataset, write_dataset, write_run

from offbeat.report.build import build_report

NUMBER = re.compile(r"[+−]?[\d,.]+( %)?( points)?( \[.*\])?( \(of \d+\))?$")
SECTIONS = {"summary", "distribution", "scores", "pairs", "thresholds", "why", "groups", "confusion"}


class Cells(HTMLParser):
    """The cells of the body of all tables: section, table, classes of the cell and its body, text, links."""

    def __init__(self, page):
        super().__init__()
        self.section = self.table = self.body = ""
        self.cells = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "section":
            self.section = given["id"]
        elif tag == "table":
            self.table = given.get("id", "")
        elif tag in ("tbody", "tfoot", "thead"):
            self.body = given.get("class", "")
        elif tag == "td":
            self.inside = True
            self.cells.append([self.section, self.table, self.body, given.get("class", ""), "", []])
        elif tag == "a" and self.inside:
            self.cells[-1][5].append(given["href"])

    def handle_endtag(self, tag):
        if tag == "td":
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.cells[-1][4] += data


@pytest.fixture(scope="module")
def page(tmp_path_factory, clip):
    folder = tmp_path_factory.mktemp("links")
    dataset = sample_dataset(folder / "set", lengths=(3.0, 5.0), delays_ms=(-4000.0, -1000.0, 0.0, 1000.0, 4000.0))
    write_dataset(dataset, clip)
    failing = {0.0: "error", 1000.0: "unparsed"}
    answers = [
        *(one for k in range(2) for one in sample_answers(dataset, "m & co", guess(0.8, k), repeat=k)),
        *sample_answers(dataset, "m & co[muted]", guess(0.0)),
        *sample_answers(dataset, "failing", lambda row: failing.get(row.audio_delay_ms, row.label)),
    ]
    run = write_run(folder / "run", dataset, answers)
    return build_report([run], out=folder / "out", draws=100).read_text(encoding="utf-8")


def test_every_measured_number_has_a_link(page):
    cells = [cell for cell in Cells(page).cells if cell[0] in SECTIONS and NUMBER.match(cell[4].strip())]
    without = [cell for cell in cells if not cell[5] and cell[4].strip() != "0"]
    not_measured = ("reference", "published")
    left = Counter(
        (section, table)
        for section, table, body, kind, _, _ in without
        if body not in not_measured and "range" not in kind
    )
    assert set(left) <= {("summary", "published"), ("summary", ""), ("why", "")}, without
    assert len(cells) - len(without) > 200


def test_every_link_names_filters_and_values_that_there_are(page):
    data = data_block(page, "browser-data")
    known = {
        "model": set(data["models"]),
        "unlike": set(data["models"]),
        "genre": {variant[3] for variant in data["variants"]},
        "choice": {*data["labels"], "none"},
        "label": set(data["labels"]),
        "outcome": set(data["outcomes"]),
        "delay": {f"{variant[5]:g}" for variant in data["variants"]},
        "size": {f"{abs(variant[5]):g}" for variant in data["variants"]},
        "length": {f"{variant[7]:g}" for variant in data["variants"]},
        "overlap": {"some", "none"},
        "language": {variant[4] or "not given" for variant in data["variants"]},
        "right": {"yes", "no"},
    }
    found = Counter()
    for cell in Cells(page).cells:
        for address in cell[5]:
            if "=" in address and address.startswith("#"):
                for name, value in parse_qsl(address[1:]):
                    assert value in known[name], address
                    found[name] += 1
    assert set(found) == set(known)
