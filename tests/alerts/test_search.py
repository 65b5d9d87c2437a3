"""What is found, in which order, and what people are told where nothing is."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from desk import READ_AS
from fakes.strangers import HOSTILE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.query import understood
from alerts.search import Filters, Near, excerpt_of, how_many, search
from listener.errors import NeedsPerson
from listener.keep import DELETED, forget
from listener.mention import Mention
from nlp.reading import Reading

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG = "and then we sat there for a very long while and nobody told us anything about what would come next. "

# Each post by a name, the oldest first, an hour apart; what the reader said of it where that matters.
POSTS: dict[str, tuple[str, dict[str, Any]]] = {
    "garage": ("The parking garage is full by nine", {"categories": "parking"}),
    "lot": ("Parking was fine but the lot is far from the garage", {"categories": "parking", "kind": "praise"}),
    "valet": ("Valet took 40 minutes, the garage is closed", {"categories": "parking waiting", "urgency": "here_now"}),
    "parked": ("I parked on the street and paid nothing", {"categories": "parking"}),
    "harbor": ("Harbor garage: the gate is broken again", {"site": "Harbor Campus", "categories": "parking"}),
    "ramp": ("The ramp at Lakeside is icy", {"site": "Lakeside Pavilion", "categories": "safety"}),
    "joke": ("parking garage walks into a bar", {"voice": "other", "kind": None, "urgency": "none"}),
    "advert": ("Cheap parking garage near you", {"voice": "promo", "kind": None, "urgency": "none"}),
    "news": ("News: hospital opens a garage", {"voice": "news", "kind": None, "urgency": "low"}),
    "new": ("The new building is lovely", {"kind": "praise", "urgency": "low"}),
    "nicu": ("The NICU nurses saved our baby, thank you", {"kind": "praise", "urgency": "low", "source": "reddit"}),
    "nurse": ("A nurse was rude to my mother", {"categories": "attitude", "source": "reddit"}),
    "nursing": ("Nursing home transfer took days", {"categories": "continuity"}),
    "bill": ("They billed me twice", {"categories": "billing", "urgency": "serious"}),
    "bills": ("Bills, bills, bills", {"categories": "billing"}),
    "billing": ("The billing office never answers", {"categories": "billing"}),
    "senal": ("La señal no funciona en la habitación", {"language": "es"}),
    "enfermera": ("La enfermera fue muy amable", {"language": "es", "kind": "praise"}),
    "enfermeros": ("Los enfermeros no contestan", {"language": "es"}),
    "community": ("Proud of this community", {"kind": "comment"}),
    "communication": ("No communication after surgery", {"categories": "communication"}),
    "organ": ("Organ donation saved her", {"kind": "praise"}),
    "organization": ("What an organization", {}),
    "wait": ("We wait and wait", {"categories": "waiting"}),
    "waited": ("Waited four hours", {"categories": "waiting"}),
    "waiting": ("Waiting room without chairs", {"categories": "waiting"}),
    "cant": ("I can't reach anyone", {"categories": "access"}),
    "followup": ("No follow-up call", {"categories": "continuity"}),
    "follow": ("up and down, they follow nothing", {}),
    "name": ("[name] in room [number] was kind", {"kind": "praise"}),
    "quote": ('She said "wait outside"', {}),
    "percent": ("100% sure", {}),
    "er": ("ER at 3am", {"urgency": "here_now"}),
    "her": ("They took her away", {}),
    "danger": ("my father fell and nobody comes", {"urgency": "danger"}),
    "arabic": ("موقف السيارات ممتلئ", {"language": "ar", "readable": False}),
    "emoji": ("👍👍👍", {"kind": "praise"}),
    "empty": ("", {}),
    "surgery": ("Surgery was late", {"site": "Harbor Campus"}),
    "late": ("late late late", {"source": "bluesky"}),
}


@pytest.fixture
def told(desk: Any) -> Any:
    """Every post of POSTS, read."""
    for number, (name, (text, more)) in enumerate(POSTS.items(), 1):
        at = NOW - (len(POSTS) - number + 1) * HOUR
        said = {"categories": "", **more}
        categories = [{"id": id_, "score": 0.9, "words": []} for id_ in said.pop("categories").split()]
        source = said.pop("source", "x")
        where = {"id": number, "collector": source, "source": source, "ref": name, "url": f"https://x.example/{name}"}
        desk.session.add(Mention(**where, text=text, written_at=at, heard_at=at, looked_at=at, author="hidden"))
        read_as = {**READ_AS, "redacted_text": text, "revision": 1, "read_at": at, "categories": categories, **said}
        desk.session.add(Reading(mention_id=number, **read_as))
    desk.session.commit()
    return desk


def find(desk: Any, text: str, limit: int = 20, **filters: Any) -> Any:
    return search(desk.session, desk.config, text, Filters(**filters), limit)


def names(found: Any) -> list[str]:
    return [list(POSTS)[hit.mention_id - 1] for hit in found.hits]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # all words; side by side first; what is not for us last
        ("parking garage", "garage lot advert joke"),
        ("garage parking", "garage lot advert joke"),
        ('"parking garage"', "garage advert joke"),
        ('"garage parking"', ""),
        ("HARBOR Garage", "harbor"),
        ("parking -garage", "parked"),
        ('garage -"parking garage" -valet', "news harbor lot"),
        ("ramp OR valet", "ramp valet"),
        ("garage full OR broken", "garage harbor"),
        ("-garage -parking nurse", "nurse nursing nicu"),
        # forms, those as typed first; of these the shorter, then the newer
        ("nurse", "nurse nursing nicu"),
        ("nurses", "nicu nursing nurse"),
        ('"nurse"', "nurse"),
        ("bills", "bills bill billing"),
        ("waiting", "waiting wait waited quote"),
        ("park", "parked garage lot advert joke"),
        # and no others
        ("new", "new"),
        ("news", "news"),
        ("community", "community"),
        ("organ", "organ"),
        ("er", "er"),
        ("urs", ""),
        # accents, other scripts, words with something in them
        ("senal", "senal"),
        ("SEÑAL", "senal"),
        ("habitaciones", "senal"),
        ("enfermera", "enfermera enfermeros"),
        ("can't", "cant"),
        ("can\u2019t", "cant"),
        ("follow-up", "followup"),
        ("100%", "percent"),
        ("السيارات", "arabic"),
        # what no post says by itself
        ("0a", ""),
        ("hidden", ""),
        ("zebra", ""),
    ],
)
def test_what_is_found_and_in_which_order(told: Any, text: str, found: str) -> None:
    result = find(told, text)
    assert names(result) == found.split()
    assert (result.total, result.mended) == (len(found.split()), ())


def test_where_the_words_stand_side_by_side_comes_first(desk: Any) -> None:
    desk.hear("they sent us to the front desk of another building, and from there to the next one and back")
    desk.hear("the desk in front")
    desk.hear("desk, front")
    assert [hit.mention_id for hit in find(desk, "front desk").hits] == [1, 3, 2]


def test_of_two_that_fit_as_well_the_newer_comes_first(desk: Any) -> None:
    for _ in range(3):
        desk.hear("the lift is stuck")
    assert [hit.mention_id for hit in find(desk, "lift").hits] == [3, 2, 1]


@pytest.mark.parametrize("text", ["👍", '""', "- *", "OR"])
def test_where_no_word_was_typed_nothing_is_found(told: Any, text: str) -> None:
    assert find(told, text).total == 0


@pytest.mark.parametrize(
    ("typed", "mended", "found"),
    [
        ("parkng garrage", (("parkng", "parking"), ("garrage", "garage")), ["garage", "lot", "advert", "joke"]),
        ("vaelt", (("vaelt", "valet"),), ["valet"]),
        ("avlet", (("avlet", "valet"),), ["valet"]),
        ("balet", (("balet", "valet"),), ["valet"]),
        ("alet", (("alet", "valet"),), ["valet"]),
        ("vvalet", (("vvalet", "valet"),), ["valet"]),
        ("enfremera", (("enfremera", "enfermera"),), ["enfermera", "enfermeros"]),
        ("comunicatoin", (("comunicatoin", "communication"),), ["communication"]),
        ('"parkin garage"', (("parkin", "parking"),), ["garage", "advert", "joke"]),
        ("garrage -full", (("garrage", "garage"),), ["news", "harbor", "lot", "valet", "advert", "joke"]),
        ("nrse", (("nrse", "nurse"),), ["nurse", "nicu", "nursing"]),
        ("ramq1", (), []),
        ("rmp", (), []),
        ("zebra", (), []),
        ("xarkinx", (), []),
    ],
)
def test_words_that_stand_nowhere_are_mended(told: Any, typed: str, mended: Any, found: list[str]) -> None:
    result = find(told, typed)
    assert (result.mended, sorted(names(result))) == (mended, sorted(found))


def test_a_word_that_stands_somewhere_is_never_mended(told: Any) -> None:
    result = find(told, "lot ramp")
    assert (result.mended, result.unknown, result.total) == ((), (), 0)


@pytest.mark.parametrize(
    ("text", "filters", "near"),
    [
        ("parkng garrage", {"site": "Lakeside Pavilion"}, [Near("without --site", 4)]),
        ("garage", {"kind": "question"}, [Near("without --kind", 7)]),
        ("garage", {"kind": "question", "urgency": "danger"}, []),
        ("nurse zebra", {}, [Near("nurse", 3)]),
        ("nurse zebra xylophone", {"source": "reddit"}, [Near("nurse", 2)]),
        ("ramp valet", {}, [Near("valet", 1), Near("ramp", 1)]),
        ("ramp -icy", {}, [Near("ramp", 1)]),
        ("zebra", {"site": "Harbor Campus"}, []),
    ],
)
def test_where_nothing_is_found_it_says_what_is_near(told: Any, text: str, filters: Any, near: list[Near]) -> None:
    result = find(told, text, **filters)
    assert (result.hits, result.total, list(result.near)) == ((), 0, near)


def test_of_two_words_that_are_as_near_the_one_of_more_posts_was_meant(desk: Any) -> None:
    for text in ("the lift", "the list", "a list"):
        desk.hear(text)
    assert find(desk, "lixt").mended == (("lixt", "list"),)


def test_of_many_ways_out_some_are_said(desk: Any) -> None:
    words = ["north", "south", "east", "west", "upper", "lower"]
    for number in range(len(words)):
        desk.hear(" ".join(words[:number] + words[number + 1 :]))
    assert len(find(desk, " ".join(words)).near) == 5


def test_it_says_which_words_stand_nowhere(told: Any) -> None:
    assert find(told, "nurse zebra xylophone").unknown == ("zebra", "xylophone")


# ---------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("text", "filters", "found"),
    [
        ("garage", {"site": "Harbor Campus"}, "harbor"),
        ("garage", {"site": "harbor"}, "harbor"),
        ("", {"site": "Harbor Campus"}, "surgery harbor"),
        ("", {"category": "waiting"}, "waiting waited wait valet"),
        ("", {"category": "Waiting"}, "waiting waited wait valet"),
        ("garage", {"category": "waiting"}, "valet"),
        ("nurse", {"kind": "praise"}, "nicu"),
        ("nurse", {"kind": "PRAISE", "source": "Reddit"}, "nicu"),
        ("garage", {"kind": "promo"}, "advert"),
        ("garage", {"kind": "news"}, "news"),
        ("", {"urgency": "danger"}, "danger"),
        ("", {"urgency": "Here now"}, "er valet"),
        ("", {"source": "bluesky"}, "late"),
        ("late", {"since": NOW - 90 * timedelta(minutes=1)}, "late"),
        ("late", {"since": NOW - 2 * HOUR}, "late surgery"),
        ("late", {"since": NOW}, ""),
        ("", {"since": NOW - 2 * HOUR}, "late surgery"),
        ("-late", {"since": NOW - 4 * HOUR}, "empty emoji"),
    ],
)
def test_filters(told: Any, text: str, filters: Any, found: str) -> None:
    assert names(find(told, text, **filters)) == found.split()


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"site": "Nowhere"}, "--site: there is no 'Nowhere'; there are Harbor Campus, Lakeside Pavilion"),
        ({"kind": "insult"}, "complaint, question, praise, comment, news, promo, other"),
        ({"state": "lost"}, "open, claimed, answered, closed, dismissed"),
        ({"urgency": "very"}, "danger, here_now, serious, routine, low, none"),
        ({"category": "weather"}, "parking"),
        ({"source": "myspace"}, "bluesky"),
        ({"site": ""}, "there is no ''"),
        ({"site": "a"}, "there is no 'a'"),
    ],
)
def test_a_value_that_there_is_not(told: Any, filters: Any, says: str) -> None:
    with pytest.raises(NeedsPerson) as caught:
        find(told, "garage", **filters)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("site", ["", " "])
def test_nothing_typed_is_no_value_where_there_is_but_one(desk: Any, site: str) -> None:
    hospital = desk.config.hospital.model_copy(update={"sites": desk.config.hospital.sites[:1]})
    desk.config = desk.config.model_copy(update={"hospital": hospital})
    with pytest.raises(NeedsPerson, match="--site: there is no"):
        find(desk, "", site=site)


def test_a_post_that_came_from_a_clock_ahead_of_ours_is_found(desk: Any) -> None:
    desk.hear("the lift", written_at=NOW + 3 * HOUR, heard_at=NOW)
    desk.hear("the lift", written_at=NOW + 4 * HOUR, heard_at=NOW + 4 * HOUR)
    assert find(desk, "lift", since=NOW + 2 * HOUR).total == 2


@pytest.mark.parametrize("site", ["Old Wing", "🏥 Nord", "مبنى", 'O\'Neil "east"'])
def test_a_site_and_a_category_that_are_no_longer_in_config(told: Any, site: str) -> None:
    told.hear("still said", site=site, categories=[{"id": site, "score": 1.0, "words": []}])
    assert find(told, "said", site=site).total == 1
    assert find(told, "", category=site).total == 1


def test_by_how_the_case_stands(desk: Any) -> None:
    for _ in range(3):
        desk.alert("the lift is stuck")
    desk.hear("the lift is fine", urgency="low")
    desk.act("claim", case_id=2)
    desk.act("not_for_us", case_id=3, reason="joke")
    found = {state: find(desk, "lift", state=state) for state in ("open", "claimed", "dismissed", "closed")}
    assert {state: [(hit.case_id, hit.case_state) for hit in one.hits] for state, one in found.items()} == {
        "open": [(1, "open")], "claimed": [(2, "claimed")], "dismissed": [(3, "dismissed")], "closed": [],
    }  # fmt: skip
    assert found["closed"].near == (Near("without --state", 4),)
    assert [(hit.case_id, hit.case_state) for hit in find(desk, "fine").hits] == [(None, None)]


# ---------------------------------------------------------------- what is shown


def test_what_a_hit_says(told: Any) -> None:
    (hit,) = find(told, "harbor").hits
    assert (hit.source, hit.urgency, hit.kind, hit.categories) == ("x", "routine", "complaint", ("parking",))
    assert (hit.site, hit.case_id, hit.url) == ("Harbor Campus", None, "https://x.example/harbor")
    assert hit.written_at == NOW - 36 * HOUR
    assert (hit.excerpt, hit.marks) == ("Harbor garage: the gate is broken again", ((0, 6),))
    assert hit.score > 0
    assert "hidden" not in repr(hit), "nobody is named"


def test_what_the_hospital_wrote_is_ours(told: Any) -> None:
    told.hear("our lift is mended", own=True)
    assert [hit.kind for hit in find(told, "lift").hits] == ["ours"]


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("Bills and billing; rebilled", "bill", ["Bills", "billing"]),
        ("la sen\u0303al, la SEÑAL", "senal", ["sen\u0303al", "SEÑAL"]),
        ("parking garage, garage parking", '"parking garage"', ["parking garage"]),
        ("can't, can\u2019t, can t, cant", "can't", ["can't", "can\u2019t", "can t"]),
        ("one two three", "one OR three -two", ["one", "three"]),
        ("the bills", '"bill"', []),
        ("a\x1b[31m lift\u202e", "lift", ["lift"]),
        ("nothing", "", []),
        ("", "nothing", []),
    ],
)
def test_marks(text: str, query: str, marked: list[str]) -> None:
    excerpt, marks = excerpt_of(text, understood(query))
    assert [excerpt[start:end] for start, end in marks] == marked
    assert not {"\x1b", "\u202e"} & set(excerpt)


def test_an_excerpt_is_where_most_of_the_words_stand() -> None:
    text = LONG * 3 + "The lift. " + LONG * 3 + "The lift smelled of smoke. " + LONG * 3
    excerpt, marks = excerpt_of(text, understood("lift smoke"))
    assert [excerpt[start:end] for start, end in marks] == ["lift", "smoke"]
    assert len(excerpt) <= 204
    assert (excerpt[:2], excerpt[-2:]) == ("… ", " …")


@pytest.mark.parametrize("sign", ["待合室。", "x/"])
def test_a_text_without_spaces_is_shown_around_the_word(sign: str) -> None:
    excerpt, ((start, end),) = excerpt_of(sign * 100 + "駐車場。" + sign * 100, understood("駐車場"))
    assert (excerpt[start:end], start, len(excerpt)) == ("駐車場", 102, 204)


def test_a_text_of_one_word_is_cut() -> None:
    assert excerpt_of("駐" * 1000, understood("")) == ("駐" * 200 + " …", ())


def test_of_two_parts_that_say_as_much_the_first_is_shown() -> None:
    excerpt, _ = excerpt_of("The first lift. " + LONG * 5 + "The second lift. " + LONG, understood("lift"))
    assert excerpt.startswith("The first lift.")


def test_of_a_long_text_without_the_words_the_beginning_is_shown() -> None:
    excerpt, marks = excerpt_of(LONG * 5, understood(""))
    assert excerpt.startswith("and then we sat there")
    assert marks == ()


def test_as_many_as_were_asked_for_and_how_many_there_are(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find(told, "garage", limit=2)
    assert (len(found.hits), found.total, how_many(found.total)) == (2, 7, "7")
    monkeypatch.setattr("alerts.search._COUNTED", 6)
    monkeypatch.setattr("alerts.search.RANKED", 5)
    found = find(told, "garage", limit=2)
    assert (len(found.hits), found.total, how_many(found.total)) == (2, 6, "more than 5")


@pytest.mark.parametrize(("total", "said"), [(0, "0"), (1, "1"), (5000, "5,000"), (5001, "more than 5,000")])
def test_how_many(total: int, said: str) -> None:
    assert how_many(total) == said


# ---------------------------------------------------------------- what is gone, what changed


def test_what_is_gone_is_not_found(told: Any) -> None:
    forget(told.session, [5], DELETED, NOW)
    told.session.commit()
    assert find(told, "harbor").total == 0


def test_only_the_words_of_the_newest_reading_are_found(told: Any) -> None:
    told.edit(5, "Harbor garage works again", NOW)
    assert names(find(told, "broken")) == []
    found = find(told, "works")
    assert names(found) == ["harbor"]
    assert found.hits[0].excerpt == "Harbor garage works again"
    assert names(find(told, "", site="Harbor Campus")) == ["surgery"], "as it was read the last time"


def test_a_post_is_found_once_however_often_it_was_decided_on(told: Any) -> None:
    told.decide()
    told.edit(2, "the lot is far", NOW)
    told.decide()
    assert names(find(told, "far")) == ["lot"]


# ---------------------------------------------------------------- any text


@pytest.mark.parametrize(
    "text", [*HOSTILE, "a" * 10_000, "NEAR(", '"', "*", "a:b", "words:", "facets:0a", "\0", "-", "^a"]
)
def test_any_text_is_safe(told: Any, text: str) -> None:
    find(told, text)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=st.text(max_size=60) | st.text('"*-():^{} ORANDNT+garage\0', max_size=40))
def test_any_text_is_safe_whatever_it_is(told: Any, text: str) -> None:
    found = find(told, text)
    for hit in found.hits:
        assert all(0 <= start < end <= len(hit.excerpt) for start, end in hit.marks)
