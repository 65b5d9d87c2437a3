"""What phrases are found in a text."""

import itertools
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language

from nlp.components.language import language as _language  # noqa: F401  # says what a post is in, as Mentions where
from nlp.components.mentions import Mentions  # noqa: F401
from nlp.phrase_language import Name, parse
from nlp.phrases import PhraseError, Phrases, Sites, _shapes, check
from nlp.tokenizer import blank, visible


def found(phrase: str, text: str) -> list[str]:
    language = blank()
    language.add_pipe("sentences")
    return [span.text for span in Phrases(language, {"label": [phrase]})(language(text))]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("waiting room", "In the WAITING ROOM now", ["WAITING ROOM"]),
        ("waiting room", "waiting for a room", []),
        ("front desk", "the front-desk clerk", ["front-desk"]),
        ("can't breathe", "she Can’t breathe", ["Can’t breathe"]),
        ("can't breathe", "she cant breathe", ["cant breathe"]),
        ("mama", "mi mamá", ["mamá"]),
        ("so late", "soooo late", ["soooo late"]),
        ("mom|dad fell", "my dad fell", ["dad fell"]),
        ("mom|dad fell", "my aunt fell", []),
        ("wait*", "we waited", ["waited"]),
        ("wait*", "the weight", []),
        ("nobody ... came", "nobody at all ever came", ["nobody at all ever came"]),
        ("nobody ... came", "nobody one two three four five six came", []),
        ("nobody ... came", "nobody cared. She came", []),
        ("nobody ... came ... us", "nobody at all came to help us", ["nobody at all came to help us"]),
        ("nobody ... came ... us", "nobody at all came. To us", []),
        ("wait* ... wait*", "wait waited, waiting", ["wait waited"]),
        ("nobody ... came", "nobody came and came", ["nobody came and came"]),
        ("told * nothing", "", None),
    ],
)
def test_finds(phrase: str, text: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(PhraseError):
            check(phrase)
    else:
        assert found(phrase, text) == expected


@pytest.mark.parametrize("phrase", ["", "a| b", "... came", "nobody ...", "wa*", "w*it", "wait**", "a ... ... b"])
def test_refuses(phrase: str) -> None:
    with pytest.raises(PhraseError):
        check(phrase)


@pytest.mark.parametrize(
    "phrase",
    ["(a+)+$", "(wait)+ room", r"\bpain\b", "[Hh]elp", "nurse.*rude", "x{2,}", "a+b+c+", "^help", "wait.+room"],
)
def test_regular_expressions_are_refused(phrase: str) -> None:
    with pytest.raises(PhraseError, match="looks like a regular expression"):
        check(phrase)


@pytest.mark.parametrize("phrase", ["c diff", "$15 parking", "24/7", "a1c", "covid-19", "10/10", "not my job!", "why?"])
def test_signs_that_people_type_are_no_regular_expressions(phrase: str) -> None:
    check(phrase)


def test_many_gaps_over_one_word_end() -> None:
    """Tried in every way this would run for hours."""
    language = blank()
    language.add_pipe("sentences")
    phrases = Phrases(language, {"label": [" ... ".join(["wait*"] * 8)]})
    assert phrases(language("wait " * 2000))


# ---------------------------------------------------------------- the signs


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("wait~", "Waits, waited; waiting for the waiter", ["Waits", "waited", "waiting"]),
        ("pay~ twice", "I PAID twice", ["PAID twice"]),
        ("co-pay~", "both co-pays", ["co-pays"]),
        ("co-pay*", "a co-payment", ["co-payment"]),
        ("señora~", "las senoras", ["senoras"]),
        ('"ER"', "the ER, er, Er and ER.", ["ER", "ER"]),
        ('"ER" visit', "ER VISIT and er visit", ["ER VISIT"]),
        ('"ER visit"', "ER VISIT and ER  visit and ER visit", ["ER visit"]),
        ('"mamá"', "mama, mamá, mama\u0301", ["mamá", "mama\u0301"]),
        ('"Can\'t wait"', "Can’t wait, can't wait", ["Can’t wait"]),
        ('nurse|"RN"', "the RN and a Nurse, not an rn", ["RN", "Nurse"]),
        ('"C*"', "a C* and C", ["C*"]),
        ("portal NEAR down", "the portal, once again, is down", ["portal, once again, is down"]),
        ("portal NEAR down", "down is the portal", ["down is the portal"]),
        ("portal NEAR down", "portal one two three four five six down", []),
        ("portal NEAR/6 down", "portal one two three four five six down", ["portal one two three four five six down"]),
        ("portal NEAR down", "the portal. Down", []),
        ("portal NEAR portal", "one portal", []),
        ("portal NEAR/1 portal", "portal to portal", ["portal to portal"]),
        ("front desk NEAR rude", "rude, that front-desk", ["rude, that front-desk"]),
        ("nobody ... came NEAR/2 desk", "desk where nobody ever came", ["desk where nobody ever came"]),
        ("nobody ... came ... us", "nobody came for us when they came", ["nobody came for us"]),
        ("a1 NEAR/1 b1 NEAR/1 c1", "c1 b1 x a1", ["c1 b1 x a1"]),
        ("a1 NEAR/1 b1 NEAR/1 c1", "b1 x x c1 a1", []),
        ("portal NOT school", "the portal is down", ["portal"]),
        ("portal NOT school", "the portal is down. It is no School", []),
        ("portal NOT school bus|car", "portal, school, bus", ["portal"]),
        ("portal NOT school bus|car NOT down", "portal down", []),
        ('portal NOT "ED"', "portal ed", ["portal"]),
        ("portal NOT nobody ... came", "portal. nobody ever came", []),
        ("near me", "near me", ["near me"]),
        ("not wanna live", "do not wanna live", ["not wanna live"]),
        ("wa\u200bit", "we wait", ["wait"]),
        ("waiting\u00a0room", "the waiting room", ["waiting room"]),
    ],
)
def test_signs(phrase: str, text: str, expected: list[str]) -> None:
    check(phrase)
    assert found(phrase, text) == expected


@pytest.mark.parametrize(
    ("site", "place", "language", "expected"),
    [
        ("Harbor Campus", None, "es", True),
        ("Harbor Campus", "Neonatal", "es", True),
        (None, "Emergency", "es", True),
        (None, "Emergency (Harbor)", "es", False),
        ("Lakeside", None, "es", False),
        (None, None, "es", False),
        ("Harbor Campus", None, "en", False),
    ],
)
def test_the_post_decides_too(site: str | None, place: str | None, language: str, expected: bool) -> None:
    pipeline = blank()
    sites = Sites({"harbor campus": "Harbor Campus", "main": "Harbor Campus"}, {"Emergency": "Harbor Campus"})
    written = {"it": ["portal site:MAIN lang:es", 'portal* site:"harbor campus" lang:es']}
    doc = pipeline.make_doc("the portal")
    doc._.site, doc._.place, doc._.language = site, place, language
    assert bool(Phrases(pipeline, written, sites)(doc)) == expected
    assert Phrases(pipeline, written, narrowed=False)(doc), "without its conditions it is found anywhere"


def test_a_site_that_there_is_not_is_no_phrase_that_never_fits() -> None:
    with pytest.raises(PhraseError, match="no site"):
        Phrases(blank(), {"it": ["portal site:Main"]})


# ---------------------------------------------------------------- compared with a slow and simple reading

FORMS = {"wait": {"wait", "waits", "waited", "waiting"}, "call": {"call", "calls", "called", "calling"}}
WORDS = ("wait", "Waits", "waiter", "ER", "er", "calls", "mamá", "MAMA")
TEXTS = st.lists(st.sampled_from((*WORDS, *WORDS, ".", ",")), max_size=14)
Way = tuple[str, str]  # kind and text
Part = list[Way]
Side = list[list[Part]]  # pieces, which "..." parts

_way = st.one_of(
    st.tuples(st.just("plain"), st.sampled_from(("wait", "er", "mama", "CALLS"))),
    st.tuples(st.just("start"), st.sampled_from(("wai", "mam"))),
    st.tuples(st.just("forms"), st.sampled_from(("wait", "call"))),
    st.tuples(st.just("exact"), st.sampled_from(("ER", "er", "mamá", "Waits"))),
)
_part = st.lists(_way, min_size=1, max_size=2)
_side = st.lists(st.lists(_part, min_size=1, max_size=2), min_size=1, max_size=2)
_more = st.lists(st.tuples(st.integers(1, 4), _side), max_size=2)
_without = st.lists(_side, max_size=1)


def plain(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))


def written(side: Side) -> str:
    signs = {"plain": "{}", "start": "{}*", "forms": "{}~", "exact": '"{}"'}
    pieces = (" ".join("|".join(signs[kind].format(text) for kind, text in part) for part in piece) for piece in side)
    return " ... ".join(pieces)


def says(part: Part, word: str) -> bool:
    said = {"plain": lambda text: plain(text) == plain(word), "start": lambda text: plain(word).startswith(text)}
    said |= {"forms": lambda text: plain(word) in FORMS[text], "exact": lambda text: text == word}
    return any(said[kind](text) for kind, text in part)


def places(side: Side, words: list[str], sentence: list[int]) -> set[tuple[int, int]]:
    """Every place of a side, by trying them all."""
    found = {(start, start) for start in range(len(words))}
    for number, piece in enumerate(side):
        size = len(piece)
        found = {
            (start, at + size)
            for start, end in found
            for at in range(end, min(end + 5 if number else end, len(words) - size) + 1)
            if all(says(part, word) for part, word in zip(piece, words[at:], strict=False))
            and sentence[start] == sentence[at + size - 1]
            and not {".", ","} & set(words[end:at])
        }
    return found


def brute(first: Side, more: list[tuple[int, Side]], without: list[Side], words: list[str]) -> set[tuple[int, int]]:
    sentence, ended = [], 0
    for at, word in enumerate(words):
        ended += at > 0 and words[at - 1] == "." and word != "."
        sentence.append(ended)
    if any(places(side, words, sentence) for side in without):
        return set()
    found = places(first, words, sentence)
    for near, side in more:
        pairs = itertools.product(found, places(side, words, sentence))
        found = {
            (left[0], right[1])
            for one, other in pairs
            for left, right in ((one, other), (other, one))
            if left[1] <= right[0]
            and sum(word not in (".", ",") for word in words[left[1] : right[0]]) <= near
            and sentence[left[0]] == sentence[right[1] - 1]
        }
    return found


@pytest.fixture(scope="module")
def pipeline() -> Language:
    """Cuts a text into words and sentences; it takes long to make."""
    pipeline = blank()
    pipeline.add_pipe("sentences")
    return pipeline


@settings(max_examples=300)
@given(_side, _more, _without, st.lists(TEXTS, min_size=1, max_size=4))
def test_it_finds_what_trying_everything_finds(
    pipeline: Language, first: Side, more: list[tuple[int, Side]], without: list[Side], texts: list[list[str]]
) -> None:
    phrase = written(first) + "".join(f" NEAR/{near} {written(side)}" for near, side in more)
    phrase += "".join(f" NOT {written(side)}" for side in without)
    try:
        check(phrase)
    except PhraseError:
        for words in texts:  # it is refused because it never matches
            assert not brute(first, more, without, words), phrase
        return
    phrases = Phrases(pipeline, {"it": [phrase]})
    anywhere = Phrases(pipeline, {"it": [phrase]}, narrowed=False)
    for words in texts:
        expected = brute(first, more, without, words)
        got = [(span.start, span.end) for span in phrases(pipeline(" ".join(words)))]
        assert set(got) <= expected, (phrase, words)
        # Of those that begin at one word the longest counts, and of those that overlap the longest.
        for start in {start for start, _ in expected}:
            end = max(end for first_, end in expected if first_ == start)
            assert any(a < end and start < b for a, b in got), (phrase, words)
            assert more or {b for a, b in got if a == start} <= {end}, (phrase, words)
        assert not got or anywhere(pipeline.make_doc(" ".join(words))), "a seeker finds all that the reader finds"


ODD = (
    "wait",
    "wait*",
    "co-pay*",
    "co-pay~",
    "x-ray|t-shirt",
    "a-b|c-d|e/f",
    '"ER visit"|"A&E"',
    "...",
    "NEAR",
    "NEAR/20",
    "NOT",
    "24/7",
    "|",
)


@given(st.lists(st.sampled_from(ODD), max_size=14).map(" ".join), st.text(max_size=60))
def test_no_phrase_has_more_patterns_than_it_says_words(pipeline: Language, phrase: str, text: str) -> None:
    """Each pattern is tried once at each word, and joining looks a few words ahead, so that none can take for ever."""
    try:
        parsed = parse(phrase)
    except PhraseError:
        return
    for side in (*parsed.sides, *parsed.without):
        for piece in side:
            patterns = sum(len(patterns) for patterns in _shapes(pipeline, piece))
            assert patterns <= sum(len(word.written) for part in piece for word in part)
    phrases = Phrases(pipeline, {"it": [phrase]})
    for one in (text, "wait ! " * 50, "co-pay " * 50):
        phrases(pipeline(visible(one)))


def test_what_stands_near_itself_everywhere_ends(pipeline: Language) -> None:
    near = " NEAR/20 ".join(["wait*"] * 4)
    phrases = Phrases(pipeline, {"it": [near, "wait* NEAR/20 help NOT nobody ... came"]})
    assert phrases(pipeline("wait " * 2000 + "!" * 2000 + " help"))


def test_names_with_signs_are_found_as_they_are_written(pipeline: Language) -> None:
    names = Phrases(pipeline, {"it": [Name('The "Old" Infirmary'), Name("Care NEAR You"), Name("Wait~ NOT site:Main")]})
    for text in ('the "old" infirmary', "CARE near you", "wait~ not site:main"):
        assert [span.text for span in names(pipeline.make_doc(f"at {text}"))] == [text]
    assert not names(pipeline.make_doc("care for you. wait"))


def test_a_span_says_which_phrase_found_it(pipeline: Language) -> None:
    phrases = Phrases(pipeline, {"one": ["wait~", "long wait", "wait*"], "two": ["wait*", Name("the wait")]})
    assert [(span.text, span.label_, span.id_) for span in phrases(pipeline.make_doc("the wait"))] == [
        ("the wait", "two", "the wait"),
        *sorted([("wait", "one", "wait~"), ("wait", "two", "wait*")], key=lambda one: pipeline.vocab.strings[one[1]]),
    ]
