"""Reviews of the hospital's own Business Profiles, against a server that speaks Google's API and gives out its tokens."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from fakes.google_reviews import LOCATION, FakeGoogleReviews
from fakes.server import BrokenShape, Fault, NotJson, RateLimited, Request, Stall, Status
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from listener.collectors import google_reviews as collector
from listener.errors import AskedToWait, NeedsPerson, TryLater
from listener.post import Page, Ref

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
OTHER = "accounts/101/locations/303"
LIST = f"/v4/{LOCATION}/reviews"


@pytest.fixture
def google(clock: Any) -> Iterator[FakeGoogleReviews]:
    collector._credentials.cache_clear()  # another fake may have had this port, and given out tokens
    with FakeGoogleReviews(now=clock) as fake:
        yield fake


@pytest.fixture
def settings(google: FakeGoogleReviews) -> collector.Settings:
    return collector.Settings(on=True, locations=(LOCATION,), base_url=google.base_url)


@pytest.fixture
def hear(google: FakeGoogleReviews, settings: collector.Settings, one_pass: Callable[..., Any]) -> Callable[..., Any]:
    """One pass of fetch() from a cursor."""

    def run(cursor: dict[str, Any] | None = None, token: str | None = None, **changes: Any) -> Any:
        secrets = {"GOOGLE_BUSINESS_TOKEN": token or google.credential()}
        return one_pass(collector, settings.model_copy(update=changes), cursor or {}, secrets=secrets)

    return run


@pytest.fixture
def replies(google: FakeGoogleReviews, settings: collector.Settings, asking: Any) -> Callable[[], list[Any]]:
    """What own_replies() hears."""

    def run() -> list[Any]:
        told = asking(secrets={"GOOGLE_BUSINESS_TOKEN": google.credential()})
        return [post for page in collector.own_replies(settings, {}, told) for post in page.posts]

    return run


@pytest.fixture
def look(google: FakeGoogleReviews, settings: collector.Settings, asking: Any) -> Callable[..., Page]:
    """What lookup() says of some refs."""

    def run(*refs: str, **changes: Any) -> Page:
        told = asking(secrets={"GOOGLE_BUSINESS_TOKEN": google.credential()})
        return collector.lookup(settings.model_copy(update=changes), refs, told)

    return run


def ref(name: str) -> str:
    return name.partition("/")[2].partition("/")[2]


def ref_of_reply(name: str, at: datetime) -> str:
    return f"{ref(name)}/reply/{int(at.timestamp())}"


def many(google: FakeGoogleReviews, count: int, newest: datetime, location: str = LOCATION) -> list[str]:
    """Reviews a minute apart, the newest first."""
    return [google.write(f"number {n}", newest - n * MINUTE, location=location) for n in range(count)]


def item(**changes: Any) -> dict[str, Any]:
    """A review as Google shows it."""
    usual = {
        "name": f"{LOCATION}/reviews/AbF",
        "reviewId": "AbF",
        "reviewer": {"displayName": "Ann"},
        "starRating": "ONE",
        "comment": "Nobody came",
        "createTime": "2026-11-18T08:00:00Z",
        "updateTime": "2026-11-18T08:00:00Z",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not ...}


# what a review becomes


def test_a_review_with_all_that_is_known_of_it(google: FakeGoogleReviews, hear: Any, clock: Any) -> None:
    name = google.write("Fine", clock.at - 2 * DAY, "Ann Lee", stars=5)
    google.change(name, "Nobody came", clock.at - DAY, stars=1)
    (post,) = hear().posts
    assert post.model_dump() == {
        "source": "google_reviews",
        "ref": ref(name),
        "text": "Nobody came",
        "written_at": clock.at - DAY,
        "edited_at": clock.at - DAY,
        "url": f"https://business.google.com/reviews/reply/{name.rpartition('/')[2]}",
        "author": None,
        "author_name": "Ann Lee",
        "thread": ref(name),
        "answers": None,
        "quotes": None,
        "place": None,
        "rating": 1.0,
        "reach": None,
        "about_us": True,
        "own": False,
    }


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"comment": ...}, "text", ""),
        ({"starRating": "FIVE"}, "rating", 5.0),
        ({"starRating": "STAR_RATING_UNSPECIFIED"}, "rating", None),
        ({"starRating": ...}, "rating", None),
        ({"starRating": "SIX"}, "rating", None),
        ({"reviewer": {"displayName": "A Google user", "isAnonymous": True}}, "author_name", "A Google user"),
        ({"reviewer": ...}, "author_name", None),
        ({"updateTime": ...}, "edited_at", None),
        ({"createTime": "2026-11-18T08:00:00.123456789Z"}, "written_at", datetime(2026, 11, 18, 8, 0, 0, 123456, UTC)),
        ({"reviewReplyUrl": ...}, "url", None),
        ({"reviewReplyUrl": "javascript:alert(1)"}, "url", None),
        ({"name": "accounts/9/locations/202/reviews/AbF"}, "ref", "locations/202/reviews/AbF"),
    ],
)
def test_a_field(google: FakeGoogleReviews, hear: Any, changes: dict[str, Any], field: str, value: Any) -> None:
    google.fail_next(BrokenShape({"reviews": [item(**changes)]}), on="/v4/")
    (post,) = hear().posts
    assert getattr(post, field) == value


@pytest.mark.parametrize(
    ("comment", "own"),
    [
        ("(Translated by Google) Nobody came\n\n(Original)\nNadie vino", "Nadie vino"),
        ("(Translated by Google) Nobody came (Original) Nadie vino", "Nadie vino"),
        ("Nadie vino\n\n(Translated by Google)\nNobody came", "Nadie vino"),
        ("Nadie\n\nvino\n\n(Translated by Google)\nNobody\n\ncame", "Nadie\n\nvino"),
        ("Nobody came", "Nobody came"),
        ("It said (Translated by Google) above the menu", "It said (Translated by Google) above the menu"),
        ("The (Original) is better", "The (Original) is better"),
        ("(Translated by Google) A\n\n(Original)\nB (Original) C", "B (Original) C"),
        ("(Translated by Google) Nobody came", "(Translated by Google) Nobody came"),
        ("(Translated by Google) A\n\n(Original)\n ", "(Translated by Google) A\n\n(Original)\n "),
    ],
)
def test_only_the_words_of_the_author(google: FakeGoogleReviews, hear: Any, clock: Any, comment: str, own: str) -> None:
    google.write(comment, clock.at - MINUTE)
    assert hear().texts == [own]


@given(st.text(min_size=1), st.text(), st.booleans())
def test_no_words_of_the_author_are_lost(words: str, translation: str, before: bool) -> None:
    comment = f"(Translated by Google) {translation}\n\n(Original)\n{words}"
    if not before:
        comment = f"{words}\n\n(Translated by Google)\n{translation}"
    assert words.strip() in collector._own_words(comment)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "SECRET",
        {},
        item(name=...),
        item(name="locations/1/reviews/AbF"),
        item(name=5),
        item(name=f"{LOCATION}/reviews/{'A' * 300}"),
        item(createTime=...),
        item(createTime="SECRET"),
        item(createTime="2026-11-18T08:00:00"),
        item(createTime=5, updateTime=[]),
        item(comment={"SECRET": 1}),
        item(reviewer="SECRET"),
        item(reviewer={"displayName": ["SECRET"]}),
        item(starRating=[]),
    ],
)
def test_one_that_cannot_be_read_is_skipped_and_the_others_go_on(
    google: FakeGoogleReviews, hear: Any, odd: Any
) -> None:
    google.fail_next(BrokenShape({"reviews": [odd, item(comment="The other")]}), on="/v4/")
    done = hear()
    assert (done.error, done.texts) == (None, ["The other"])
    (skipped,) = done.skipped
    assert skipped.startswith("google_reviews:")
    assert "SECRET" not in skipped


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*item(), "reviewReply", "reviewReplyUrl"]), json_values))
def test_strangers_json_is_a_post_or_is_skipped(changes: dict[str, Any]) -> None:
    for parse in (collector._review, collector._reply):
        posts, skipped = collector._each(parse, [item(**changes)])
        assert len(posts) + len(skipped) == 1
    collector._has_public_reply(item(**changes))


# reading


def test_the_first_pass_reads_the_last_30_days_and_no_page_more(
    google: FakeGoogleReviews, hear: Any, clock: Any
) -> None:
    new, old = many(google, 60, clock.at - DAY), many(google, 100, clock.at - 30 * DAY - MINUTE)
    done = hear()
    assert done.refs == [ref(name) for name in new]
    assert old
    pages = [request.query for request in google.seen(LIST)]
    assert [(page["pageSize"], page["orderBy"], "pageToken" in page) for page in pages] == [
        ("50", "updateTime desc", False),
        ("50", "updateTime desc", True),
    ]


def test_a_review_that_google_shows_days_later_is_heard(google: FakeGoogleReviews, hear: Any, clock: Any) -> None:
    google.write("New", clock.at - MINUTE)
    first = hear()
    late = google.write("Held back for a week", clock.at - 7 * DAY)
    assert ref(late) in hear(first.cursor).refs


@pytest.mark.parametrize("before", [0, 1])
def test_after_a_long_silence_it_reads_from_where_it_was(
    google: FakeGoogleReviews, hear: Any, clock: Any, before: int
) -> None:
    many(google, before, clock.at - MINUTE)
    first = hear()
    clock.at += 50 * DAY
    missed = google.write("While we were off", clock.at - 49 * DAY)
    assert hear().refs == []
    assert ref(missed) in hear(first.cursor).refs


def test_cut_off_half_way_it_begins_at_the_top_again(google: FakeGoogleReviews, hear: Any, clock: Any) -> None:
    first = hear()
    clock.at += 60 * DAY
    names = many(google, 120, clock.at - 31 * DAY)
    google.fail_next(Status(503), on="/v4/", after=3)  # a 401 as its token is old, and two pages
    cut = hear(first.cursor)
    assert isinstance(cut.error, TryLater)
    assert (len(cut.refs), cut.cursor) == (100, first.cursor)
    google.remove(names.pop(0))  # an old page token would now skip one
    assert set(hear(cut.cursor).refs) == {ref(name) for name in names}


def test_each_location_has_its_place_and_its_count(google: FakeGoogleReviews, hear: Any, clock: Any) -> None:
    google.locations.add(OTHER)
    google.write("Here", clock.at - DAY)
    many(google, 51, clock.at - MINUTE, OTHER)
    done = hear(locations=(LOCATION, OTHER))
    assert [page.matched for page in done.pages] == [{LOCATION: 1}, {OTHER: 50}, {OTHER: 1}]
    assert done.cursor == {LOCATION: (clock.at - DAY).isoformat(), OTHER: (clock.at - MINUTE).isoformat()}
    assert hear(done.cursor).cursor.keys() == {LOCATION}, "one that is no longer read has no place"


@pytest.mark.parametrize(
    ("status", "why"), [(404, "does not know"), (403, "forbids reading"), (400, "refused"), (None, None)]
)
def test_a_wrong_location_is_told_when_the_others_were_read(
    google: FakeGoogleReviews, hear: Any, clock: Any, status: int | None, why: str | None
) -> None:
    google.locations.add(OTHER)
    google.write("There", clock.at - DAY, location=OTHER)
    if status:
        google.fail_next(Status(status), on=LIST)
    done = hear(locations=(LOCATION, OTHER))
    assert done.texts == ["There"]
    if status is None:
        assert done.error is None
        return
    assert isinstance(done.error, NeedsPerson)
    assert str(done.error).startswith("google_reviews: Google ")
    assert f"{why} {LOCATION}" in str(done.error)


@pytest.mark.parametrize(
    "body",
    [
        [],
        5,
        None,
        {"odd": 1},
        {"error": {"code": 500}},
        {"reviews": {}},
        {"reviews": None},
        {"reviews": [], "nextPageToken": 5},
        {"nextPageToken": "again"},
    ],
)
def test_what_is_no_page_is_not_taken_for_the_last(google: FakeGoogleReviews, hear: Any, body: Any) -> None:
    google.fail_next(BrokenShape(body), times=None, on="/v4/")
    done = hear()
    assert isinstance(done.error, TryLater)
    assert str(done.error).endswith("does not end" if body == {"nextPageToken": "again"} else "has an unknown shape")
    assert done.cursor == {}


@pytest.mark.parametrize("body", [{}, {"averageRating": 4.5, "totalReviewCount": 50}, {"reviews": [], "new": 1}])
def test_a_page_without_reviews_is_one(google: FakeGoogleReviews, hear: Any, body: Any) -> None:
    google.fail_next(BrokenShape(body), on="/v4/")
    (page,) = hear().pages
    assert (page.posts, page.matched) == ((), {LOCATION: 0})


def test_a_list_without_end_is_given_up(
    google: FakeGoogleReviews, hear: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(google, 200, clock.at)
    monkeypatch.setattr(collector, "_MOST_PAGES", 2)
    assert "does not end" in str(hear().error)
    assert len(google.seen(LIST)) == 3


def test_a_page_token_that_google_does_not_take_is_no_fault_of_the_location(
    google: FakeGoogleReviews, hear: Any, clock: Any
) -> None:
    many(google, 60, clock.at)
    google.fail_next(Status(400), on="/v4/", after=1)
    assert isinstance(hear().error, TryLater)


# the hospital's replies


def test_a_reply_with_all_that_is_known_of_it(google: FakeGoogleReviews, replies: Any, clock: Any) -> None:
    name = google.write("Nobody came", clock.at - DAY)
    google.write("No reply here", clock.at - DAY)
    google.reply(name, "(Translated by Google) We are sorry\n\n(Original)\nLo sentimos", clock.at - MINUTE)
    (post,) = replies()
    assert post.model_dump(exclude={"url"}) == {
        "source": "google_reviews",
        "ref": ref_of_reply(name, clock.at - MINUTE),
        "text": "Lo sentimos",
        "written_at": clock.at - MINUTE,
        "edited_at": None,
        "author": None,
        "author_name": None,
        "thread": ref(name),
        "answers": ref(name),
        "quotes": None,
        "place": None,
        "rating": None,
        "reach": None,
        "about_us": True,
        "own": True,
    }


@pytest.mark.parametrize(
    ("state", "heard"),
    [
        ("APPROVED", True),
        (None, True),
        ("REVIEW_REPLY_STATE_UNSPECIFIED", True),
        ("PENDING", False),
        ("REJECTED", False),
        ("A_NEW_STATE", False),
    ],
)
def test_only_a_public_reply_stops_the_clock(
    google: FakeGoogleReviews, replies: Any, clock: Any, state: str | None, heard: bool
) -> None:
    name = google.write("Nobody came", clock.at - DAY)
    google.reply(name, "We are sorry", clock.at - MINUTE, state)
    assert len(replies()) == heard


def test_a_rewritten_reply_is_another_one(google: FakeGoogleReviews, replies: Any, clock: Any) -> None:
    name = google.write("Fine", clock.at - 20 * DAY)
    google.reply(name, "Thank you", clock.at - 19 * DAY)
    (first,) = replies()
    google.change(name, "My dad collapsed and nobody comes", clock.at - MINUTE)
    google.reply(name, "Please call us", clock.at)
    (second,) = replies()
    assert first.ref != second.ref
    assert (second.answers, second.written_at) == (first.answers, clock.at)


def test_replies_to_reviews_of_the_last_30_days_are_heard(google: FakeGoogleReviews, replies: Any, clock: Any) -> None:
    names = many(google, 60, clock.at - 29 * DAY)
    old = many(google, 100, clock.at - 40 * DAY)
    for name in (names[-1], old[-1]):
        google.reply(name, "We are sorry", clock.at)
    assert [post.answers for post in replies()] == [ref(names[-1])]


# looking again


def test_looking_again(google: FakeGoogleReviews, look: Any, clock: Any) -> None:
    names = [google.write(f"number {n}", clock.at - n * DAY) for n in range(6)]
    at = clock.at - MINUTE
    asked = [ref_of_reply(name, at) for name in names]
    for name in names:
        google.reply(name, "We are sorry", at)
    google.remove(names[1])
    google.change(names[2], "changed", clock.at)
    google.reply(names[3], "", clock.at)
    google.reply(names[4], "We are very sorry", clock.at)
    google.reply(names[5], "We are very sorry", clock.at, "PENDING")
    page = look(*map(ref, names), *asked)
    assert {ref.ref for ref in page.deleted} == {ref(names[1]), asked[1], asked[3], asked[4]}
    assert {ref.source for ref in page.deleted} == {"google_reviews"}
    assert [post.text for post in page.posts if not post.own] == [
        *("number 0", "changed", "number 3", "number 4", "number 5")
    ]
    assert {post.ref for post in page.posts if post.own} == {asked[0], asked[2]}


def test_a_page_of_the_list_is_cheaper_than_fifty_questions(google: FakeGoogleReviews, look: Any, clock: Any) -> None:
    names = [*many(google, 80, clock.at), *many(google, 100, clock.at - DAY)]
    asked = [*names[:60], names[150]]
    google.remove(names[7])
    google.remove(names[150])
    page = look(*map(ref, asked))
    assert len(page.posts) == 59
    assert set(page.deleted) == {Ref("google_reviews", ref(names[7])), Ref("google_reviews", ref(names[150]))}
    assert len(google.seen("/v4/")) == 3 + 2, "three pages, then each that was not found"


def test_nothing_is_said_of_what_cannot_be_seen(google: FakeGoogleReviews, look: Any, clock: Any) -> None:
    here, there = ref(google.write("Here", clock.at)), "locations/303/reviews/AbF"
    assert [post.ref for post in look(here, there).posts] == [here]
    assert look(here, there).deleted == ()
    page = look(there, here, locations=(OTHER, LOCATION))  # Google does not know the other
    assert ([post.ref for post in page.posts], page.deleted) == ([here], ())


@pytest.mark.parametrize(
    "fault",
    [Status(500), Status(429), BrokenShape(None), BrokenShape({}), BrokenShape([]), BrokenShape(item()), NotJson()],
)
def test_a_question_without_answer_is_no_deletion(
    google: FakeGoogleReviews, look: Any, clock: Any, fault: Fault
) -> None:
    name = google.write("Here", clock.at)
    google.remove(name)
    google.fail_next(fault, on=name)
    with pytest.raises(TryLater):
        look(ref(name))
    assert len(look(ref(name)).deleted) == 1


# refusals


def detailed(code: int, **detail: Any) -> Status:
    return Status(code, {"error": {"code": code, "message": "", "details": [detail]}})


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (detailed(429, metadata={"quota_limit_value": "0"}), NeedsPerson, "access"),
        (detailed(429, metadata={"quota_limit_value": "300"}), AskedToWait, "wait"),
        (detailed(429, retryDelay=5), AskedToWait, "wait"),
        (Status(429, {"error": []}), AskedToWait, "wait"),
        (Status(429, "<html>"), AskedToWait, "wait"),
        (detailed(403, reason="SERVICE_DISABLED"), NeedsPerson, "enable it"),
        (detailed(403, reason="ACCESS_TOKEN_SCOPE_INSUFFICIENT"), NeedsPerson, "business.manage"),
        (detailed(403, reason="OTHER"), NeedsPerson, "forbids"),
        (Status(418), TryLater, "418"),
    ],
)
def test_a_refusal(google: FakeGoogleReviews, hear: Any, fault: Fault, kind: type[Exception], says: str) -> None:
    google.fail_next(fault, on="/v4/")
    error = hear().error
    assert type(error) is kind
    assert str(error).startswith("google_reviews: ")
    assert says in str(error)


def test_how_long_google_asks_to_wait(google: FakeGoogleReviews, hear: Any, clock: Any) -> None:
    google.fail_next(RateLimited(retry_after="30.5"), on="/v4/")
    assert hear().error.at == clock.at + timedelta(seconds=31)
    google.fail_next(Status(503, headers={"retry-after": "60"}), on="/v4/")
    assert hear().error.at == clock.at + MINUTE


# who we are


def test_one_access_token_serves_many_passes(google: FakeGoogleReviews, hear: Any, replies: Any, look: Any) -> None:
    hear()
    replies()
    look("locations/202/reviews/AbF")
    assert len(google.seen("/token")) == 1


def test_an_access_token_is_renewed_before_it_ends(google: FakeGoogleReviews, hear: Any, clock: Any) -> None:
    with time_machine.travel(clock.at, tick=False) as traveller:
        hear()
        clock.at += 58 * MINUTE
        traveller.move_to(clock.at)
        assert hear().error is None
    assert len(google.seen("/token")) == 2
    assert 401 not in [request.status for request in google.requests]


def test_an_access_token_that_ends_early_is_renewed(google: FakeGoogleReviews, hear: Any, clock: Any) -> None:
    google.write("Here", clock.at)
    hear()
    clock.at += 2 * 60 * MINUTE  # Google's clock alone
    assert hear().texts == ["Here"]
    assert [request.status for request in google.requests] == [200, 200, 401, 200, 200]


def test_a_bare_access_token_serves_for_an_hour(google: FakeGoogleReviews, hear: Any, clock: Any) -> None:
    google.write("Here", clock.at)
    token = google.access_token()
    assert hear(token=token).texts == ["Here"]
    clock.at += 60 * MINUTE
    error = hear(token=token).error
    assert isinstance(error, NeedsPerson)
    assert "gcloud" in str(error)
    assert google.seen("/token") == []


def test_the_quota_of_another_project(google: FakeGoogleReviews, hear: Any) -> None:
    assert hear(token=google.credential(quota_project_id="their-project")).error is None
    assert google.seen("/v4/")[0].headers["x-goog-user-project"] == "their-project"


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (Status(400, {"error": "invalid_grant", "error_description": "SECRET"}), NeedsPerson, "7 days"),
        (Status(400, {"error": "invalid_grant", "error_subtype": "invalid_rapt"}), NeedsPerson, "sign in again"),
        (Status(401, {"error": "invalid_client", "error_description": "SECRET"}), NeedsPerson, "invalid_client"),
        (Status(403, {"error": "SECRET of 1"}), TryLater, "unknown shape"),
        (Status(400, []), TryLater, "unknown shape"),
        (NotJson(status=400), TryLater, "unknown shape"),
        (NotJson(), TryLater, "unknown shape"),
        (BrokenShape([]), TryLater, "unknown shape"),
        (BrokenShape({"token": "SECRET"}), TryLater, "unknown shape"),
        (BrokenShape({"access_token": 5}), TryLater, "unknown shape"),
        (BrokenShape({"access_token": "SECRET\ud800", "expires_in": 3599}), TryLater, "unknown shape"),
        (BrokenShape({"access_token": "SECRET", "expires_in": "SECRET"}), TryLater, "unknown shape"),
        (Status(503), TryLater, "503"),
        (Status(500, {"error": "internal_failure"}), TryLater, "500"),
        (Status(429), AskedToWait, "429"),
        (Stall(), TryLater, "ReadTimeout"),
    ],
)
def test_no_access_token(
    google: FakeGoogleReviews,
    hear: Any,
    fault: Fault,
    kind: type[Exception],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collector, "_TIMEOUT", 0.3)
    google.fail_next(fault, times=None, on="/token")
    error = hear().error
    assert type(error) is kind
    assert str(error).startswith("google_reviews: ")
    assert says in str(error)
    assert not any(secret in str(error) for secret in ("SECRET", google.client_secret, google.refresh_token))
    assert len(google.seen("/token")) == 1, "asked once: the next pass asks again"
    google.heal()
    assert hear().error is None


def test_a_sign_in_that_was_revoked(google: FakeGoogleReviews, hear: Any, clock: Any) -> None:
    hear()
    google.revoked = True
    clock.at += 60 * MINUTE
    assert "revoked" in str(hear().error)


@pytest.mark.parametrize(
    "wrong",
    [
        "not a token",
        "{not JSON: SECRET",
        '{"installed": {"client_id": "SECRET"}}',
        '{"client_id": "SECRET", "client_secret": "SECRET"}',
        '{"client_id": "SECRET", "client_secret": "SECRET", "refresh_token": ""}',
        '{"client_id": "SECRET", "client_secret": "SECRET", "refresh_token": ["SECRET"]}',
        '{"client_id": "a", "client_secret": "b", "refresh_token": "c", "token_uri": "http://SECRET.example"}',
        '{"client_id": "a", "client_secret": "b", "refresh_token": "c", "token_uri": 5}',
        '{"client_id": "a", "client_secret": "b", "refresh_token": "c", "quota_project_id": ["SECRET"]}',
        "ya29.SECRET\nX-Injected: yes",
    ],
)
def test_a_credential_of_the_wrong_shape(google: FakeGoogleReviews, hear: Any, wrong: str) -> None:
    error = hear(token=wrong).error
    assert isinstance(error, NeedsPerson)
    assert "GOOGLE_BUSINESS_TOKEN" in str(error)
    assert "SECRET" not in str(error)
    assert google.requests == []


def test_without_a_gateway_it_asks_google(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = []

    def connect(self: Any, address: Any) -> None:
        reached.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.socket.connect", connect)
    monkeypatch.setattr("socket.getaddrinfo", lambda host, port, *_, **__: [(2, 1, 6, "", (host, port))])
    credential = json.dumps({"client_id": "a", "client_secret": "b", "refresh_token": "c"})
    settings = collector.Settings(locations=(LOCATION,))
    for token in (credential, "ya29.bare"):
        with pytest.raises(TryLater, match="check the network"):
            list(collector.fetch(settings, {}, asking(secrets={"GOOGLE_BUSINESS_TOKEN": token})))
    assert reached == [("oauth2.googleapis.com", 443), ("mybusiness.googleapis.com", 443)]


def test_a_gateway_is_reached_past_any_proxy(google: FakeGoogleReviews, hear: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert hear().error is None


def test_logs_hold_no_secret(google: FakeGoogleReviews, hear: Any, clock: Any, caplog: Any) -> None:
    google.write("Nobody came", clock.at, "Ann Lee")
    with caplog.at_level(logging.DEBUG):
        hear()
    secrets = (google.client_secret, google.refresh_token, "ya29.", "Nobody", "Ann Lee")
    assert not any(secret in caplog.text for secret in secrets)


# settings


@pytest.mark.parametrize(
    "changes",
    [
        {"locations": ()},
        {"locations": ("accounts/1",)},
        {"locations": ("locations/2",)},
        {"locations": ("accounts/1/locations/2/reviews",)},
        {"locations": ("accounts/1/locations/-",)},
        {"locations": ("accounts/1/locations/2?key=3",)},
        {"locations": LOCATION},
        {"location": (LOCATION,)},
    ],
)
def test_settings_that_cannot_be(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        collector.Settings(**{"locations": (LOCATION,), **changes})


def test_content_is_kept_for_no_longer_than_google_allows() -> None:
    assert collector.Settings(locations=(LOCATION,)).keep_for == 30 * DAY


def test_the_fake_refuses_what_google_refuses(google: FakeGoogleReviews) -> None:
    def status(path: str, **query: str) -> int:
        headers = {"authorization": f"Bearer {google.access_token()}"}
        return google.answer(Request("GET", path, query, headers, None, b"", 0)).status

    assert status(LIST) == 200
    assert status(LIST, pageSize="500", orderBy="rating desc") == 200
    assert status(LIST, orderBy="createTime") == 400
    assert status(LIST, since="x") == 400
    assert status(LIST, pageToken="x") == 400
    assert status("/v4/accounts/101/locations/9/reviews") == 404
    assert status(f"{LIST}/AbF") == 404
