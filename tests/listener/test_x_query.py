"""Searches made from hospital.toml, and searches divided: judged by the fake X's own reading of a query."""

import re
import string
from typing import Any

import pytest
from fakes.x import query_matches
from hypothesis import assume, given
from hypothesis import strategies as st

from config.schema import Accounts, Config, Hospital
from listener.x_query import MOST_PARTS, about, split

# made from hospital.toml


def hospital(config: Config, **changes: Any) -> Hospital:
    plain = {"name": "Mercy", "aliases": ("Mercy",), "sites": (), "accounts": Accounts()}
    return config.hospital.model_copy(update={**plain, **changes})


@pytest.mark.parametrize(
    ("names", "query"),
    [
        (["Mercy"], "Mercy"),  # a common word, but it is the hospital's
        (["Mercy", "MRCY"], "Mercy OR MRCY"),
        (["Saint Brigid"], '"Saint Brigid" OR SaintBrigid'),
        (["St. B"], '"St. B"'),  # too short for one piece
        (["St. Brigid's"], '"St. Brigid\'s" OR "St. Brigids" OR StBrigids'),
        (["St. Brigid’s"], '"St. Brigid’s" OR "St. Brigids" OR StBrigids'),
        (["Mercy Hospital of Port Alder", "Mercy Hospital"], '"Mercy Hospital" OR MercyHospital'),
        (["A&E"], '"A&E"'),
        (["-x:y"], '"-x:y"'),
        (["Or"], '"Or"'),
        (['The "Bridge"'], '"The  Bridge" OR TheBridge'),
        (["Hôpital Sainte-Anne"], '"Hôpital Sainte-Anne" OR HôpitalSainteAnne'),
        (["!!!", "Mercy"], "Mercy"),
    ],
)
def test_names_become_terms(config: Config, names: list[str], query: str) -> None:
    made = about(hospital(config, name=names[0], aliases=tuple(names)), mentions=True)
    whole = "MercyHospitalofPortAlder OR "  # the longer name in one piece stays: it does not hold the other
    assert made.replace(whole, "") == query
    query_matches(made, "")  # X takes it


def test_the_account_is_looked_for_and_its_own_posts_are_not(config: Config) -> None:
    ours = hospital(config, accounts=Accounts(x="MercyCares"))
    assert about(ours, mentions=True) == "(Mercy OR @MercyCares OR to:MercyCares) -from:MercyCares"
    assert about(ours, mentions=False) == "(Mercy) -from:MercyCares"


def test_every_name_of_the_shipped_hospital_is_found(config: Config) -> None:
    ours = config.hospital
    parts = split(about(ours, mentions=True), 512)
    names = (ours.name, *ours.aliases, *(alias for site in ours.sites for alias in site.aliases))
    for name in (*names, "st brigids", "#SaintBrigidMedicalCenter", "@StBrigidCares"):
        assert any(query_matches(part, f"Waiting at {name} for hours") for part in parts), name
    assert not any(query_matches(part, "Waiting at the other hospital") for part in parts)


# divided


@pytest.mark.parametrize(
    ("query", "longest", "parts"),
    [
        ("aaa OR bbb", 10, ["aaa OR bbb"]),
        ("aaa  OR  bbb", 10, ["aaa OR bbb"]),
        ("aaa OR bbb", 9, ["aaa", "bbb"]),
        ("aaa OR bbb OR ccc", 10, ["aaa OR bbb", "ccc"]),
        ("aaa OR bbb -c", 9, ["aaa", "bbb -c"]),  # a space binds before OR
        ("(aaa OR bbb) -c", 12, ["aaa -c", "bbb -c"]),
        ("(aaa OR bbb OR ccc) -d", 16, ["(aaa OR bbb) -d", "ccc -d"]),
        ("-d (aaa OR bbb)", 10, ["-d aaa", "-d bbb"]),
        ('("a OR b" OR ccc) d', 12, ['"a OR b" d', "ccc d"]),  # an OR in quotes is a word
        ("(aaa OR bbb) (cc OR dd)", 14, ["aaa (cc OR dd)", "bbb (cc OR dd)"]),
        ("(aaa OR bbb) (cc OR dd)", 8, ["aaa cc", "aaa dd", "bbb cc", "bbb dd"]),
        ("((aaa OR bbb) OR ccc) d", 8, ["aaa d", "bbb d", "ccc d"]),
        ("(aaa (bb OR cc) OR ddd) e", 14, ["aaa bb e", "aaa cc e", "ddd e"]),
        ("((aaa)) OR (bbb)", 6, ["(aaa)", "(bbb)"]),
        ('url:"a b (c" OR ddd', 15, ['url:"a b (c"', "ddd"]),
        ("point_radius:[1 2 3km] OR aaa", 22, ["point_radius:[1 2 3km]", "aaa"]),
        ("aaa OR aaa OR aaa", 10, ["aaa"]),
        ("aa -(b OR c) OR ddd", 12, ["aa -(b OR c)", "ddd"]),  # X will say that it takes no such thing
    ],
)
def test_division(query: str, longest: int, parts: list[str]) -> None:
    assert list(split(query, longest)) == parts


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("a" * 30, "at most 20 characters, or an OR to divide it at: 'aaa"),
        (f'"{"a OR " * 10}"', "at most 20 characters, or an OR"),
        (f"aa OR {'b' * 30}", "at most 20 characters, or an OR to divide it at: 'bbb"),
        (f"(aa OR b) {'-c ' * 10}", "at most 20 characters, or an OR"),
        (f"-({'aa OR ' * 10}b)", "at most 20 characters, or an OR"),
        (f"({'aa OR ' * 10}b", 'a ")" for each "("'),
        (f"{'aa OR ' * 10}b)", 'a "(" for each ")"'),
        (f'"{"aa OR " * 10}', "a partner for each quotation mark"),
        ("aa OR " * 10, "a word on both sides of each OR"),
        ("aa OR " * 10 + "() bb", "a word on both sides of each OR and in each pair of brackets"),
        ("OR aa" * 10, "a word on both sides of each OR"),
        ("(" * 5000 + "a" + ")" * 5000, "brackets within at most 20 others"),
        (" OR ".join(f"{n:020}" for n in range(MOST_PARTS + 1)), f"at most {MOST_PARTS} searches"),
        (" ".join(f"(a{n} OR b{n})" for n in range(40)), "at most"),
    ],
)
def test_what_cannot_be_divided(query: str, allowed: str) -> None:
    with pytest.raises(ValueError, match=re.escape(allowed)):
        split(query, 20)


def test_a_product_of_many_groups_is_given_up_soon() -> None:
    groups = " ".join(f"({' OR '.join(f'w{n}x{m}' for m in range(40))})" for n in range(12))
    with pytest.raises(ValueError, match="at most 20 searches"):
        split(groups, 64)


WORDS = st.sampled_from("abcdef")
POSITIVE = st.one_of(WORDS, st.tuples(WORDS, WORDS).map(lambda two: f'"{two[0]} {two[1]}"'))
TERMS = st.one_of(POSITIVE, POSITIVE.map(lambda term: f"-{term}"))


def _alternatives(others: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    """One positive term at least in each alternative: X takes no others."""
    one = st.tuples(st.lists(others, max_size=1), POSITIVE, st.lists(others, max_size=1))
    texts = one.map(lambda parts: " ".join([*parts[0], parts[1], *parts[2]]))
    return st.lists(texts, min_size=1, max_size=most).map(" OR ".join)


INNER = st.one_of(TERMS, _alternatives(TERMS, 4).map(lambda text: f"({text})"))
OUTER = st.one_of(TERMS, _alternatives(INNER, 3).map(lambda text: f"({text})"))
QUERIES = _alternatives(OUTER, 3)
POSTS = st.lists(WORDS, max_size=8).map(" ".join)


def divided(query: str, longest: int) -> tuple[str, ...]:
    """The parts, none where it is refused."""
    try:
        return split(query, longest)
    except ValueError:
        return ()


@given(QUERIES, st.integers(20, 60), st.lists(POSTS, min_size=1, max_size=20))
def test_the_parts_find_together_what_the_whole_finds(query: str, longest: int, posts: list[str]) -> None:
    parts = divided(query, longest)
    assume(parts)
    assert all(len(part) <= longest for part in parts)
    for text in posts:
        assert query_matches(query, text) == any(query_matches(part, text) for part in parts), (text, parts)


@given(st.lists(st.one_of(POSITIVE, st.text(string.ascii_letters, min_size=1, max_size=12)), min_size=1, max_size=60))
def test_each_alternative_is_in_a_part(words: list[str]) -> None:
    words = [word for word in words if word.upper() not in ("OR", "AND")] or ["a"]
    parts = split(f"({' OR '.join(words)}) -from:us lang:en", 90)
    assert all(part.endswith(" -from:us lang:en") and len(part) <= 90 for part in parts)
    found = [word for part in parts for word in re.findall(r'"[^"]*"|[^\s()]+', part)]
    assert set(words) <= set(found)


@given(st.text('ab "()[]-:OR', max_size=80), st.integers(1, 40))
def test_any_text_is_divided_or_refused(text: str, longest: int) -> None:
    assert all(len(part) <= longest for part in divided(text, longest))
