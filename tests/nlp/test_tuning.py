"""What posts are read with as lines, and posts that hold changed words."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.schema import Category, Config, Sign, Site
from listener import week
from nlp.pipeline import Reader, Text
from nlp.tuning import Difference, Line, Seeker, lines, phrases_of

SOUGHT = [
    *("surprise bill*", "can't|cannot ... reach", "valet", "señora de piso", "مستشفى", "co-pay", "24/7", "500mg"),
    *("deduct~ twice", '"ER" NEAR/2 lobby', "kiosk NOT school site:Nowhere lang:xh", '"Éclair Café"'),
]
SEEKER = Seeker({phrase: [phrase] for phrase in SOUGHT})


def with_billing(config: Config, **changes: Any) -> Config:
    billing = config.keywords.categories["billing"].model_copy(update=changes)
    categories = {**config.keywords.categories, "billing": billing}
    return config.model_copy(update={"keywords": config.keywords.model_copy(update={"categories": categories})})


def test_each_value_is_a_line(config: Config) -> None:
    found = lines(config, "r1", "m1")
    assert found == sorted(set(found))
    for line in (
        ("categories", "billing", "phrases", "medicaid"),
        ("urgency", "danger", "phrases", "suicidal|suicidle|sucidal|suicidel"),
        ("signs", "legal", "serious", "True"),
        ("exclude", "phrases", "fish fry"),
        ("hospital", "aliases", "SBMC"),
        ("hospital", "sites", "Lakeside Pavilion"),
        ("hospital", "sites", "Lakeside Pavilion", "departments", "Neonatal"),
        ("hospital", "department_words", "Neonatal", "NICU"),
        ("reader", "rules", "r1"),
        ("reader", "model", "m1"),
    ):
        assert line in found
    assert [line for line in found if line[0] == "reader"] == [("reader", "model", "m1"), ("reader", "rules", "r1")]


@pytest.mark.parametrize(
    ("changes", "differ"),
    [
        ({}, set()),
        ({"owner": "Somebody else"}, set()),
        ({"title": "Money"}, set()),
        ({"match": ("a bill",)}, {"match"}),
        ({"no_match": ("Bill is kind",)}, {"no_match"}),
        ({"phrases": ("bill*",)}, {"phrases"}),
    ],
    ids=str,
)
def test_a_line_differs_where_readings_could(config: Config, changes: dict[str, Any], differ: set[str]) -> None:
    before, after = set(lines(config, "r", None)), set(lines(with_billing(config, **changes), "r", None))
    assert {line[2] for line in before ^ after} == differ


def test_an_example_of_a_voice_is_no_line(config: Config) -> None:
    """It only tests the phrases."""
    promo = config.keywords.voices.promo.model_copy(update={"match": ("Save 50% today",)})
    voices = config.keywords.voices.model_copy(update={"promo": promo})
    changed = config.model_copy(update={"keywords": config.keywords.model_copy(update={"voices": voices})})
    assert lines(changed, "r", None) == lines(config, "r", None)


def test_hours_are_no_line(config: Config) -> None:
    assert not [line for line in lines(config, "r", None) if {"coverage", "timezone", "Bring it up"} & set(line)]


def test_a_name_with_any_sign_stays_whole(config: Config) -> None:
    odd = Category(title="x", owner="y", phrases=("a: b", "🅿️ lot", "مستشفى"))
    categories = {**config.keywords.categories, "odd": odd}
    keywords = config.keywords.model_copy(update={"categories": categories})
    found = lines(config.model_copy(update={"keywords": keywords}), "r", None)
    assert {line[-1] for line in found if line[1] == "odd"} == {"a: b", "🅿️ lot", "مستشفى"}


def test_the_reader_says_what_it_reads_with(config: Config, rules: Reader) -> None:
    assert ("reader", "model", "") in rules.lines
    assert {line for line in rules.lines if line[0] != "reader"} == {
        line for line in lines(config, "r", None) if line[0] != "reader"
    }


@pytest.mark.parametrize(
    ("where", "words", "found"),
    [
        (("categories", "billing", "phrases"), ["surprise bill*", "(", "..."], ["surprise bill*"]),
        (("categories", "billing", "match"), ["a bill"], []),
        (("signs", "legal", "serious"), ["True"], []),
        (("exclude", "phrases"), ["fish fry"], ["fish fry"]),
        (("hospital", "aliases"), ["St. Brigid* | West", " "], ["St. Brigid    West"]),
        (("hospital", "aliases"), ['The "Old', "Care NEAR", "(West)"], ['The "Old', "Care NEAR", "(West)"]),
        (("categories", "billing", "phrases"), ['the "old', "care NEAR"], []),
        (("hospital", "sites", "Lakeside", "departments"), ["Neonatal"], ["Neonatal"]),
        (("hospital", "sites"), ["Lakeside"], []),  # alone it is no words of a post
        (("hospital", "sites", "Lakeside", "aliases"), ["Brigid Lakeside"], ["Brigid Lakeside"]),
        (("hospital", "name"), ["St. Brigid"], ["St. Brigid"]),
        (("hospital", "not_us"), ["St. Brigid's Well"], ["St. Brigid's Well"]),
        (("hospital", "department_words", "Neonatal"), ["NICU"], ["NICU"]),
        (("hospital", "accounts", "x"), ["StBrigidCares"], []),
        (("hospital", "town"), ["Port Alder"], []),
    ],
)
def test_words_that_can_be_looked_for(where: tuple[str, ...], words: list[str], found: list[str]) -> None:
    assert phrases_of(where, words) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A SURPRISE Billing again", {"surprise bill*"}),
        ("surprise, a bill", set()),
        ("i can’t for the life of me reach them", {"can't|cannot ... reach"}),
        ("24 / 7 and a 500 mg dose", {"24/7", "500mg"}),
        ("caaaan't REEEACH", {"can't|cannot ... reach"}),
        ("i can´t reach them", {"can't|cannot ... reach"}),
        ("the val´et", {"valet"}),
        ("the valet lost it", {"valet"}),
        ("valets", set()),
        ("val\u200bet", {"valet"}),
        ("la Senora de piso", {"señora de piso"}),
        ("LA SEÑORA de piso", {"señora de piso"}),
        ("مستشفى", {"مستشفى"}),
        ("my copay and co-pay", {"co-pay"}),
        ("they DEDUCTED TWIIIICE", {"deduct~ twice"}),
        ("the lobby, of the ER", {'"ER" NEAR/2 lobby'}),
        ("the lobby of the er", set()),
        ("a kiosk of the school", {"kiosk NOT school site:Nowhere lang:xh"}),  # which posts, it cannot tell
        ("the Éclair Café", {'"Éclair Café"'}),
        ("the E\u0301clair Cafe\u0301", {'"Éclair Café"'}),
        ("the eclair cafe", set()),
        ("", set()),
    ],
)
def test_it_finds_what_the_reader_finds(text: str, found: set[str]) -> None:
    assert SEEKER(text) == found
    assert SEEKER.may_hold(text) or not found


WORDS = (
    "surprise",
    "bill",
    "can't",
    "cannot",
    "reach",
    "valet",
    "señora",
    "co-pay",
    "’",
    "´",
    "\u0301",
    "\u200b",
    "a",
    "!",
    "É",
    "ER",
    "lobby",
    "deducting",
    "kiosk",
    "school",
    "Éclair Café",
    "24",
    "7",
    "/",
    "mg",
)


@given(st.lists(st.sampled_from(WORDS)))
def test_what_is_left_out_at_a_look_holds_nothing(words: list[str]) -> None:
    for text in ("".join(words), " ".join(words)):
        assert SEEKER.may_hold(text) or not SEEKER(text)


@given(st.text())
def test_any_text(text: str) -> None:
    assert SEEKER.may_hold(text) or not SEEKER(text)


def test_nothing_to_look_for() -> None:
    assert not Seeker({}).may_hold("anything")


def test_no_sign_of_a_name_means_anything() -> None:
    names = phrases_of(("hospital", "aliases"), ["Care NEAR You", 'The "Old" Infirmary', "Wait~ NOT site:Main"])
    seeker = Seeker({name: [name] for name in names})
    for name in names:
        assert seeker.may_hold(f"at {name.lower()} today")
        assert seeker(f"at {name.lower()} today") == {name}
    assert seeker("care for you. wait, old infirmary") == set()


# ---------------------------------------------------------------- which posts a change may touch


def changed(config: Config, table: str, **changes: Any) -> Config:
    """The configuration with other values in a table of keywords.toml, or in hospital.toml for "hospital"."""
    if table == "hospital":
        return config.model_copy(update={"hospital": config.hospital.model_copy(update=changes)})
    of_table = {table: getattr(config.keywords, table).model_copy(update=changes)} if table else changes
    return config.model_copy(update={"keywords": config.keywords.model_copy(update=of_table)})


def without_model(config: Config) -> Config:
    return changed(config, "reader", model=False)


def with_category(config: Config, name: str, **values: Any) -> Config:
    one = Category(title=name, owner="somebody", **values)
    return changed(config, "", categories={**config.keywords.categories, name: one})


def difference(config: Config, other: Config, model: str | None = "m") -> Difference:
    return Difference(lines(config, "r", model), lines(other, "r", model))


def with_sign(config: Config, **changes: Any) -> Config:
    legal = Sign.model_validate({**config.keywords.signs["legal"].model_dump(), **changes})
    return changed(config, "", signs={**config.keywords.signs, "legal": legal})


def with_danger(config: Config, *phrases: str) -> Config:
    return changed(config, "urgency", danger=config.keywords.urgency.danger.model_copy(update={"phrases": phrases}))


def with_words(config: Config, **words: tuple[str, ...]) -> Config:
    return changed(config, "hospital", department_words={**config.hospital.department_words, **words})


def other_sites(config: Config, **changes: Any) -> Config:
    first, *others = config.hospital.sites
    sites = (Site.model_validate({**first.model_dump(), **changes}), *others)
    return changed(config, "hospital", sites=sites)


HOSPITAL, NOTHING = "hospital", "St. Brigid's was fine"
TOUCHED: list[tuple[Callable[[Config], Config], str, str]] = [
    (lambda c: with_billing(c, phrases=("portal fee",)), "a Portal Fee again", NOTHING),
    (lambda c: with_billing(c, phrases=()), "medicaid said no", NOTHING),
    (lambda c: changed(c, "exclude", phrases=("bingo",)), "BINGO night", NOTHING),
    (lambda c: with_danger(c, "she fell"), "he is suicidal", NOTHING),
    (lambda c: with_sign(c, serious=False), "my lawyer will call", NOTHING),
    (lambda c: with_sign(c, voices=("patient", "news")), "my lawyer will call", NOTHING),
    (lambda c: with_category(c, "gowns", phrases=("gown*",)), "the gowns are thin", NOTHING),
    (lambda c: changed(c, HOSPITAL, not_us=("St. Brigid's Rovers",)), "st brigid's rovers won", NOTHING),
    (lambda c: changed(c, HOSPITAL, aliases=("St. Brigid's",)), "SBMC", "St. Brigid's ER"),
    (lambda c: changed(c, HOSPITAL, aliases=("SBMC",)), "St. Brigid ER", "SBMC"),
    (lambda c: changed(c, HOSPITAL, name="Harbor General"), "#harborgeneral", "SBMC"),
    (lambda c: changed(c, HOSPITAL, accounts=c.hospital.accounts.model_copy(update={"x": "SBCares"})),
     "thanks @sbcares", NOTHING),
    (lambda c: with_words(c, Neonatal=("preemie ward",)), "the NICU", NOTHING),
    (lambda c: with_words(c, Neonatal=("NICU", "preemie ward")), "St. Brigid preemie ward", "the NICU"),
    (lambda c: other_sites(c, name="Harbour Campus"), "at Brigid's Harbor", NOTHING),
    (lambda c: other_sites(c, aliases=("The Harbor",)), "in the harbor today", NOTHING),
    (lambda c: other_sites(c, departments=()), "cardiology", NOTHING),
]  # fmt: skip


@pytest.mark.parametrize(("change", "touched", "not_touched"), TOUCHED)
def test_a_change_of_words_touches_posts_that_hold_them(
    config: Config, change: Callable[[Config], Config], touched: str, not_touched: str
) -> None:
    for found in (difference(config, change(config)), difference(change(config), config)):
        assert bool(found)
        assert not found.touches_all
        assert (found.touches(touched), found.touches(not_touched)) == (True, False)


@pytest.mark.parametrize(
    ("change", "with_model", "without"),
    [
        (lambda c: c, "nothing", "nothing"),
        (lambda c: changed(c, HOSPITAL, town="Elsewhere"), "nothing", "nothing"),
        (lambda c: changed(c, HOSPITAL, aliases=c.hospital.aliases[::-1]), "nothing", "nothing"),
        (lambda c: with_billing(c, match=("a bill",)), "nothing", "nothing"),  # the model was trained for it
        (lambda c: with_category(c, "gowns", match=("the gown is thin",)), "all", "nothing"),
        (lambda c: with_category(c, "gowns"), "nothing", "nothing"),
        (lambda c: with_category(c, "food"), "some", "some"),  # its phrases are gone, the model still looks for it
        (lambda c: changed(c, "", categories={"food": c.keywords.categories["food"]}), "all", "some"),
        (lambda c: changed(c, "reader", folder="elsewhere"), "nothing", "nothing"),  # the model itself is a line
    ],
)  # fmt: skip
def test_what_else_a_change_touches(
    config: Config, change: Callable[[Config], Config], with_model: str, without: str
) -> None:
    for model, touches in (("m", with_model), (None, without)):
        found = difference(config, change(config), model)
        assert ("all" if found.touches_all else "some" if found else "nothing") == touches


def test_a_topic_without_words_is_one_that_the_model_may_find(config: Config) -> None:
    bare = with_category(config, "food")
    none = changed(bare, "", categories={k: v for k, v in bare.keywords.categories.items() if k != "food"})
    assert difference(bare, none).touches_all
    assert not difference(bare, none, None)


def test_a_phrase_of_a_site_makes_every_change_of_sites_one_of_all(config: Config) -> None:
    """Which site a post is about may be what its author chose from a list."""
    of_site = with_billing(config, phrases=("portal site:Main",))
    assert difference(of_site, other_sites(of_site, departments=("Cardiology",))).touches_all
    assert not difference(config, other_sites(config, departments=("Cardiology",))).touches_all
    assert not difference(of_site, with_billing(config, phrases=("portal",))).touches_all


@pytest.mark.parametrize("line", [("reader", "rules", "other"), ("reader", "model", "other"), ("reader", "model", "")])
def test_another_program_or_model_touches_all(config: Config, line: Line) -> None:
    old = lines(config, "r", "m")
    assert Difference(old, [*(one for one in old if one[:2] != line[:2]), line]).touches_all
    assert Difference([], old).touches_all, "what is not known"


@pytest.mark.parametrize(
    "line",
    [
        ("hospital", "accounts", "a place of before", "StBrigid"),
        ("hospital", "sites", "Harbor Campus", "floors", "third"),
    ],
)
def test_lines_that_this_program_cannot_read_touch_all(config: Config, line: Line) -> None:
    now = lines(config, "r", "m")
    assert Difference([*now, line], now).touches_all


WEEK = [json.loads(line)["text"] for line in week.POSTS.read_text(encoding="utf-8").splitlines()]
LISTS: tuple[tuple[str, ...], ...] = (
    *(("keywords", "urgency", level) for level in ("danger", "here_now", "serious")),
    *(("keywords", "voices", voice) for voice in ("promo", "news")),
    *(("keywords", "categories", name) for name in ("waiting", "billing", "food", "attitude", "digital", "parking")),
    *(("keywords", "signs", name) for name in ("legal", "press")),
    ("keywords", "exclude"),
)
ADDED = (
    *(
        "wait*",
        "nobody ... came|comes",
        "the er",
        "bill",
        "nurse",
        "not breathing",
        "on the floor",
        "thank you",
        "portal",
    ),
    *(
        "kind|kinder",
        "they ... me",
        "St. Brigid's",
        "line",
        "help",
        "hour|hours",
        "still waiting",
        "lawyer",
        "food was",
    ),
)
NAMES = (
    "Brigid",
    "Port Alder",
    "SBMC",
    "St. Brigid's ER",
    "the hospital",
    "Brigid's",
    "Lakeside",
    "St. Brigid's Church",
)


@st.composite
def tuned(draw: st.DrawFn, config: Config) -> Config:
    """The configuration after a few changes of lists, as an admin makes them."""
    whole = config.model_dump()
    for path in draw(st.lists(st.sampled_from(LISTS), max_size=3, unique=True)):
        table = whole
        for key in path:
            table = table[key]
        gone = draw(st.sets(st.sampled_from(table["phrases"]), max_size=20))
        more = draw(st.sets(st.sampled_from(ADDED), max_size=2))
        table["phrases"] = tuple(p for p in table["phrases"] if p not in gone) + tuple(more - set(table["phrases"]))
    if "signs" in draw(st.sets(st.sampled_from(("signs", "other")))):
        whole["keywords"]["signs"]["legal"]["serious"] = draw(st.booleans())
    for key in draw(st.sets(st.sampled_from(("aliases", "not_us")), max_size=1)):
        names = set(whole["hospital"][key]) ^ draw(
            st.sets(st.sampled_from((*whole["hospital"][key], *NAMES)), max_size=3)
        )
        whole["hospital"][key] = tuple(sorted(names)) or ("SBMC",)
    return type(config).model_validate({**whole, "collectors": {}, "care": config.care, "report": config.report})


def read_the_same(old: Reader, new: Reader, texts: list[str], known: Mapping[Text, dict[str, Any]]) -> int:
    """How many are not touched; fails when one of these reads otherwise. `known`: what the old one says of some."""
    found = Difference(old.lines, new.lines)
    texts = [text for text in texts if not found.touches(text)]
    asked = [Text(text, about_us=about_us) for about_us in (False, True) for text in texts]
    rest = [text for text in asked if text not in known]
    before = {**known, **dict(zip(rest, old.read(rest), strict=True))}
    for text, after in zip(asked, new.read(asked), strict=True):
        assert before[text] == after, text
    return len(texts)


@pytest.fixture(scope="module")
def week_by_rules(rules: Reader) -> dict[Text, dict[str, Any]]:
    """What the shipped files say of the week, without the model."""
    asked = [Text(text, about_us=about_us) for about_us in (False, True) for text in WEEK]
    return dict(zip(asked, rules.read(asked), strict=True))


@pytest.mark.deep
@settings(max_examples=12)
@given(data=st.data())
def test_what_is_not_touched_reads_the_same(
    data: st.DataObject, rules: Reader, week_by_rules: dict[Text, dict[str, Any]], config: Config
) -> None:
    words = sorted({word for text in (*ADDED, *NAMES, *WEEK[:60]) for word in text.split()})
    posts = data.draw(st.lists(st.lists(st.sampled_from(words), min_size=1, max_size=12).map(" ".join), max_size=20))
    other = Reader(data.draw(tuned(without_model(config))))
    read_the_same(rules, other, [*WEEK, *posts], week_by_rules)


@pytest.mark.deep
def test_what_is_not_touched_reads_the_same_with_the_model(config: Config, reader: Reader) -> None:
    other = with_danger(with_billing(config, phrases=("bill",)), *config.keywords.urgency.danger.phrases[:40])
    other = with_sign(changed(other, HOSPITAL, not_us=()), serious=False)
    same = read_the_same(reader, Reader(other), WEEK, {})
    assert len(WEEK) * 0.5 < same < len(WEEK)
