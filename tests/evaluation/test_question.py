"""Questions as data: the study's prompt letter by letter, the sign of each wording, and files of the user's own."""

from collections import Counter
from dataclasses import replace

import pytest
from scipy.stats import chisquare

from offbeat.errors import SettingsError
from offbeat.evaluation.question import STUDY, Question, find_question, prompt_for, shipped_questions
from offbeat.timing import LABELS

WORD_FOR_WORD = """\
You will watch a 10-second video with audio.
Reply with ONLY ONE word:
sync = audio matches video
ahead = audio earlier than video
behind = audio later than video"""

OWN = """
[[question]]
name = "mine"
template = "Is it in step?\\n{options}"
options = [{ label = "yes", meaning = "it is" }, { label = "no" }]
"""
LETTERS = find_question("letters")


def test_the_prompt_is_the_studys(make_variant):
    prompt = prompt_for(STUDY, make_variant(clip_length_s=10.0))
    assert prompt.text == WORD_FOR_WORD
    assert prompt.options == prompt.words == ("sync", "ahead", "behind")
    assert prompt.system is None


@pytest.mark.parametrize(("length_s", "written"), [(3, "3"), (5.0, "5"), (7.0, "7"), (2.5, "2.5"), (120.0, "120")])
def test_lengths_are_written_as_the_study_does(make_variant, length_s, written):
    prompt = prompt_for(STUDY, make_variant(clip_length_s=length_s))
    assert prompt.text.startswith(f"You will watch a {written}-second video")


def test_other_braces_in_a_template_are_left_alone(make_variant):
    question = Question("json", 'Reply with {"answer": ...} or {answer} for {length} s', ("yes", "no"))
    assert (
        prompt_for(question, make_variant(clip_length_s=3.0)).text == 'Reply with {"answer": ...} or {answer} for 3 s'
    )


@pytest.mark.parametrize("options", [("sync",), ("sync", "sync"), ("in sync", "ahead"), ("Sync", "ahead"), ()])
def test_options_are_distinct_plain_words(options):
    with pytest.raises(ValueError, match="option"):
        Question("q", "?", options)


def test_the_words_of_the_shipped_questions():
    """Whoever changes them gives the question another name: what was answered stands in people's runs."""
    assert {name: " ".join(question.words) for name, question in shipped_questions().items()} == {
        "study": "sync ahead behind",
        "study-shuffled": "sync ahead behind",
        "letters": "A B C",
        "capitals": "Sync Ahead Behind",
        "plain": "together early late",
        "moment": "same before after",
        "precise": "sync ahead behind",
        "editor": "sync ahead behind",
    }


EARLIER = ("earlier than video", "heard before they are seen", "heard first, seen later")
LATER = ("later than video", "heard after they are seen", "seen first, heard later")


@pytest.mark.parametrize("question", shipped_questions().values(), ids=lambda question: question.name)
def test_every_shipped_wording_keeps_the_sign(question, make_variant):
    """`ahead` is the sound earlier than the picture, in whatever words."""
    assert question.options == LABELS
    assert question.about
    prompt = prompt_for(question, make_variant(clip_length_s=5.0))
    assert "{" not in prompt.text + (prompt.system or "")
    meant = {line.partition(" = ")[0]: line.partition(" = ")[2] for line in prompt.text.splitlines() if " = " in line}
    assert meant.keys() == set(prompt.words)
    assert meant[prompt.word_for("ahead")].endswith(EARLIER)
    assert meant[prompt.word_for("behind")].endswith(LATER)
    assert not meant[prompt.word_for("sync")].endswith(EARLIER + LATER)


def test_letters_keep_their_place_and_words_their_meaning(make_variant):
    for clip in "abcdefgh":
        variant = make_variant(clip_id=clip)
        lines = prompt_for(LETTERS, variant).text.splitlines()[2:]
        assert [line[:4] for line in lines] == ["A = ", "B = ", "C = "]
        shuffled = prompt_for(find_question("study-shuffled"), variant)
        assert set(shuffled.text.splitlines()) == set(prompt_for(STUDY, variant).text.splitlines())
        assert shuffled.words == LABELS


def test_all_delays_of_a_clip_are_asked_alike_and_other_questions_otherwise(make_variant):
    def words(question, clip):
        return {prompt_for(question, make_variant(clip_id=clip, variant_id=v, audio_delay_ms=ms)) for v, ms in DELAYS}

    assert all(len(words(LETTERS, f"c{k}")) == 1 for k in range(20))
    other = replace(LETTERS, name="other")
    assert [words(LETTERS, f"c{k}") for k in range(20)] != [words(other, f"c{k}") for k in range(20)]


DELAYS = [("v1", -5000.0), ("v2", 0.0), ("v3", 5000.0)]


def test_over_many_clips_each_order_is_equally_frequent(make_variant):
    drawn = Counter(prompt_for(LETTERS, make_variant(clip_id=f"clip{k}")).words for k in range(1200))
    assert len(drawn) == 6
    assert chisquare(list(drawn.values())).pvalue > 0.001


def test_the_fingerprint_holds_all_but_the_name():
    changes = [
        {"template": STUDY.template + "\n"},
        {"options": ("sync", "behind", "ahead")},
        {"words": ("Sync", "ahead", "behind")},
        {"meanings": ("a", "b", "c")},
        {"system": ""},
        {"order": "shuffled"},
    ]
    marks = {replace(STUDY, **change).fingerprint for change in changes}
    assert len(marks | {STUDY.fingerprint}) == len(changes) + 1
    assert replace(STUDY, name="x", about="y").fingerprint == STUDY.fingerprint


def test_a_question_of_ones_own(tmp_path, make_variant):
    path = tmp_path / "own: é.toml"
    path.write_text("\ufeff" + OWN, encoding="utf-8")
    question = find_question(f"{path}:mine")
    assert question == find_question(str(path))
    prompt = prompt_for(question, make_variant())
    assert prompt.text == "Is it in step?\nyes = it is\nno"
    assert prompt.options == ("yes", "no")


def test_of_several_one_must_be_named(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(OWN + OWN.replace("mine", "yours"))
    assert find_question(f"{path}:yours").name == "yours"
    with pytest.raises(SettingsError, match=r"own\.toml: more than one question.*own\.toml:mine, .*own\.toml:yours"):
        find_question(str(path))
    with pytest.raises(SettingsError, match=r"no question 'theirs' in it"):
        find_question(f"{path}:theirs")


def test_an_unknown_name_tells_the_known_ones():
    with pytest.raises(SettingsError, match=r"no question 'studie'; expected one of study, .*FILE\.toml:NAME"):
        find_question("studie")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (OWN, "", r"question: is missing"),
        (OWN, "question = []", r"question: List should have at least 1"),
        ('name = "mine"', "", r"question\.1\.name: is missing"),
        ('name = "mine"', 'name = "study"', r"'study' is the name of a question of Offbeat's"),
        ('name = "mine"', 'name = "a b"', r"question\.1\.name: String should match"),
        ('name = "mine"', "name = 3", r"question\.1\.name: .*got 3"),
        (
            'name = "mine"',
            'name = "mine"\norders = 1',
            r"question\.1\.orders: no such key; .* name, template",
        ),
        ('name = "mine"', 'name = "mine"\norder = "random"', r"question\.1\.order: .*'fixed' or 'shuffled'"),
        ("[[question]]", "[question]", r"question: Input should be a valid list"),
        ("[[question]]", "[[question", r"not TOML: .*line 2"),
        ('label = "yes"', 'label = "Yes"', r"'mine': the label .* Yes, no"),
        ('label = "yes"', 'label = "no"', r"'mine': expected two or more distinct options"),
        ('label = "yes"', 'label = "yes", word = "in step"', r"'mine': .*one word of letters, got 'in step', 'no'"),
        ('label = "yes"', 'label = "yes", word = "Y"', r"'mine': expected single letters or longer words.*Y, no"),
        ('label = "yes"', 'label = "yes", word = "NO"', r"'mine': two options have the same word: NO, no"),
        (
            'label = "yes"',
            'label = "yes", words = "y"',
            r"question\.1\.options\.1\.words: no such key; .* word",
        ),
        ("{options}", "{option}", r"'mine': template: \{option\}: did you mean \{options\}"),
        ("{options}", "{lenght} s", r"'mine': template: \{lenght\}: did you mean \{length\}"),
        ("\\n{options}", '"\norder = "shuffled', r"'mine': nothing can be shuffled"),
        ("Is it", "\x00", r"not TOML"),
        (OWN, OWN + OWN, r"two questions are named 'mine'"),
        (OWN, "a = " + "[" * 100_000, r"not TOML"),
        (OWN, "#" * 1_000_001, r"at most 1000000"),
    ],
)
def test_a_bad_file_is_named_with_its_key(tmp_path, before, after, message):
    assert before in OWN
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace(before, after))
    with pytest.raises(SettingsError, match=rf"own\.toml: .*{message}"):
        find_question(str(path))


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file"):
        find_question(f"{tmp_path / 'none.toml'}:mine")
    (tmp_path / "latin.toml").write_bytes('[[question]]\nname = "é"'.encode("latin-1"))
    with pytest.raises(SettingsError, match="not UTF-8"):
        find_question(str(tmp_path / "latin.toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        find_question(str(tmp_path / "folder.toml"))
