"""How a phrase is taken apart, and which phrases are refused with what sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.components.language import _classifier
from nlp.phrase_language import (
    LANGUAGES,
    Name,
    Phrase,
    PhraseError,
    Sought,
    UnknownName,
    Word,
    check,
    check_site,
    covers,
    parse,
    plain_forms,
    rarest_part,
    sites_of,
)

SITES = {"Harbor Campus": ("Brigid Harbor", "Main"), "Lakeside Pavilion": ("Señora Sur",)}


def test_everything_together() -> None:
    phrase = parse('"ER" NEAR/8 wait~|delay* NOT "ER visit" lang:EN NOT parking lot site:"Harbor Campus"')
    assert phrase == Phrase(
        sides=((((Word("ER", "exact"),),),), (((Word("wait", "forms"), Word("delay", "start")),),)),
        within=(8,),
        without=((((Word("ER visit", "exact"),),),), (((Word("parking"),), (Word("lot"),)),)),
        site="Harbor Campus",
        language="en",
    )
    assert phrase.is_narrowed
    assert phrase.words == Phrase(phrase.sides, (8,))


@pytest.mark.parametrize(
    ("phrase", "within"), [("a NEAR b", (5,)), ("a NEAR/1 b NEAR/20 c", (1, 20)), ("near me", ()), ("a near b", ())]
)
def test_near_is_a_sign_in_capitals_alone(phrase: str, within: tuple[int, ...]) -> None:
    assert parse(phrase).within == within


@pytest.mark.parametrize(
    "phrase",
    [
        "not wanna live", "near me", "PAIN AND SUFFERING", "c diff", "24/7", "$15 parking", "covid-19", "why?", "rock 'n' roll",
        "’til now", "report:", '"C*"', '"(ER)"', 'er NOT "ER"', 'mom|"ER visit"|dad', '"A|B" fell', "911 NOT 311",
        'portal site:"harbor  campus"', "portal SITE:main", "portal site:senora", "portal lang:es", "wait ... room NOT wait room",
    ],
)  # fmt: skip
def test_good_phrases(phrase: str) -> None:
    check(phrase)
    check_site(phrase, {**SITES, "Señora": ()})


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ('"ER', "one is open"), ('wait "ER" "', "one is open"), ('wait ""', "between the quotation"), ('" "', "between the quot"),
        ('"ER"*', "around whole words"), ('x"ER"', "around whole words"), ('"ER""ED"', "around whole words"),
        ("“ER” visit", "straight"), ("„ER“", "straight"), ("‘ER’", "straight"), ("«ER»", "straight"),
        ("'ER' visit", "double quotation"), ("the 'front desk'", "double quotation"),
        ("portal NEAR", "between two words"), ("NEAR portal", "between two words"), ("a NEAR NEAR b", "between two words"),
        ("a NEAR/0 b", "NEAR/1 to NEAR/20"), ("a NEAR/21 b", "NEAR/1 to"), ("a NEAR/x b", "NEAR/1 to"), ("a NEAR/ 3 b", "NEAR/1 to"),
        ("a near/8 b", "NEAR/8 in place"), ("a NEAR8 b", "NEAR/8 in place"), ("! NEAR help", "letters or digits"),
        ("a NEAR b NEAR c NEAR d NEAR e", "at most 3"),
        ("NOT school", "a word to look for"), ("site:Main", "a word to look for"), ("NOT", "a word to look for"), ("", "a word to look"),
        ("portal NOT", "words after NOT"), ("portal NOT NOT x", "words after NOT"), ("portal NOT a NEAR b", "NEAR before NOT"),
        ("portal NOT portal", "never matches"), ("the portal site NOT portal", "never matches"), ("wait~ NOT wait*", "never matches"),
        ("waits|waited NOT wait~", "never matches"), ('"ER" NOT er', "never matches"), ("a NEAR portal NOT portal", "never matches"),
        ("portal NOT x ... portal|down NOT portal", "never matches"),
        ("portal site:", "without a name"), ("portal site: Main", "without a name"), ('portal site:""', "without a name"),
        ("portal lang:", "without a name"), ("portal site:Harbor Campus", "words come first"), ("portal lang:es down", "words come"),
        ("portal site:Main site:Main", "stands once"), ("portal lang:es lang:en", "stands once"),
        ("portal lang:spa", "two letters"), ("portal lang:qq", "two letters"), ("portal site:Mian", "a site of hospital.toml"),
        ("wa~it", "at the end of a word"), ("~wait", "at the end"), ("wait~~", "at the end"), ("wa~", "three letters"), ("~", "three letters"),
        ("wait~*", "not both"), ("wait*~", "not both"), ("مستشفى~", "write them as a|b"), ("24/7~", "write them as"),
        ("i'm*", "three letters"), ("wooo*", "three letters"),
        ("portal OR app", "a|b for one of two"), ("portal AND down", "a NEAR b"), ("DO NOT RESUSCITATE", "small letters"),
        ("portal !school", "NOT school in place"), ("portal site=Main", "site: in place"), ("portal language:es", "lang: in place"),
        ("nobody … came", "three dots"), ("nobody...came", "three dots"), ("nobody .. came", "three dots"),
        ("portal -school", "NOT school in place"), ("(wait)", "regular expression"), ('"ER" [Rr]oom', "regular expression"),
        ("portal NOT ... x", "between two words"), ("x ... NEAR y", "between two words"),
    ],
)  # fmt: skip
def test_refuses_in_a_sentence(phrase: str, said: str) -> None:
    with pytest.raises(PhraseError) as raised:
        check_site(phrase, SITES)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("phrase", "meant"),
    [
        ("x site:Mian", "Harbor Campus"), ("x site:lakside", "Lakeside Pavilion"), ("x site:qqqq", None),
        ("x lang:eng", "en"), ("x lang:spanish", "es"), ("x lang:sp", "es"), ("x lang:qqq", None), ("x lang:German", "de"),
    ],
)  # fmt: skip
def test_what_was_meant(phrase: str, meant: str | None) -> None:
    with pytest.raises(UnknownName) as raised:
        check_site(phrase, SITES)
    assert raised.value.meant == meant


def test_a_site_is_not_checked_where_none_is_known() -> None:
    check("portal site:Anywhere")
    with pytest.raises(UnknownName, match="names none"):
        check_site("portal site:Anywhere", {})


def test_of_two_sites_of_one_name_the_first_is_meant() -> None:
    assert sites_of({"A": ("Main",), "B": ("MAIN", "Süd")}) == {"a": "A", "main": "A", "b": "B", "sud": "B"}


def test_the_languages_are_those_that_posts_are_found_to_be_in() -> None:
    assert {code for code in map(str, _classifier().nb_classes) if len(code) == 2} == LANGUAGES


@pytest.mark.parametrize("phrase", ["wa\u200bit\ufeff", "\u00a0wait", "wait\u2009", "w\u00adait"])
def test_what_nobody_sees_is_not_looked_for(phrase: str) -> None:
    assert parse(phrase) == parse("wait")


def test_no_sign_of_a_name_means_anything() -> None:
    words = 'Care NEAR "You" NOT site:Main wait~ (West) lang:xx'
    assert parse(Name(words)) == Phrase(((tuple((Word(word),) for word in words.split()),),))
    assert parse(Name("wait~")) != parse("wait~")
    with pytest.raises(PhraseError):
        parse(Name(" "))


@pytest.mark.parametrize(
    ("phrase", "forms"),
    [
        ("front desk", {"front desk", "front-desk"}),
        ("pay~ bill", {"pay bill", "pays bill", "paid bill", "paying bill", "pay-bill", "pays-bill", "paid-bill", "paying-bill"}),
        ("wait~|er", {"wait", "waits", "waited", "waiting", "er"}),
        ("co-pay~", {"co-pay", "co-pays", "co-paid", "co-paying"}),
        ("enfermera~", {"enfermera", "enfermeras", "enfermero", "enfermeros", "enfermeraed", "enfermeraing"}),
        ("wait*", None), ('"ER"', None), ("a ... b", None), ("a|b|c|d|e|f|g a|b|c|d|e|f|g a|b|c|d|e|f|g", None),
    ],
)  # fmt: skip
def test_plain_forms(phrase: str, forms: set[str] | None) -> None:
    (side,) = parse(phrase).sides
    assert plain_forms(side) == forms


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("at the reception", [Sought("reception")]), ("er NEAR delay*|wait", [Sought("delay", True), Sought("wait")]),
        ('er "Emergency Department"', [Sought("Department")]), ("er NOT reception", [Sought("er")]),
        ("at pay~", [Sought("pay"), Sought("paid"), Sought("paying"), Sought("pays")]), ('"C*"', [Sought("C*")]),
    ],
)  # fmt: skip
def test_the_rarest_part(phrase: str, words: list[Sought]) -> None:
    assert rarest_part(parse(phrase)) == words


@pytest.mark.parametrize(
    ("general", "special"),
    [
        ("portal", "portal"), ("Pórtal", "PORTAL"), ("portal", "the portal site"), ("wait*", "waiting room"), ("wait~", "waited"),
        ("wait*", "wait~"), ("mom|dad", "dad|mom"), ("mom|dad|aunt fell", "dad fell down"), ("er", '"ER"'), ("portal", "portal NOT x"),
        ("portal", "portal site:Main lang:es"), ("portal lang:es", "portal lang:es site:Main"), ("portal NOT x", "portal NOT x NOT y"),
        ("portal", "portal NEAR down"), ("portal NEAR/9 down", "portal NEAR/3 down"), ("a ... b", "a ... b"), ("wait*", "waiti*"),
        ("portal", "the portal ... down"),
    ],
)  # fmt: skip
def test_covers(general: str, special: str) -> None:
    assert covers(parse(general), parse(special))


@pytest.mark.parametrize(
    ("general", "special"),
    [
        ("portal site", "portal"), ("waits", "wait~"), ("waits", "wait*"), ('"ER"', "er"), ("portal NOT x", "portal"), ("waiti*", "wait*"),
        ("portal lang:es", "portal"), ("portal site:Main", "portal site:West"), ("portal NEAR down", "portal"), ("a b", "a ... b"),
        ("portal NEAR/3 down", "portal NEAR/9 down"), ("mom", "mom|dad"), ("portal NEAR down", "down NEAR portal bad"), ('"ER"', '"Er"'),
    ],
)  # fmt: skip
def test_does_not_cover(general: str, special: str) -> None:
    assert not covers(parse(general), parse(special))


PIECES = (
    *(
        "wait",
        "wait*",
        "wait~",
        '"ER"',
        '"',
        "|",
        "NEAR",
        "NEAR/3",
        "NOT",
        "site:Main",
        "lang:es",
        "...",
        " ",
        "-",
        "~",
        "*",
    ),
    *("é", "’", "(", "\u200b", "\n", "1", 'site:"', "lang:"),
)


@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(st.sampled_from(PIECES)).map("".join),
        st.lists(st.sampled_from(PIECES)).map(" ".join),
    )
)
def test_any_text_is_a_phrase_or_is_refused(text: str) -> None:
    try:
        check(text)
    except PhraseError:
        return
    phrase = parse(text)
    assert rarest_part(phrase)
    assert covers(phrase, phrase)
