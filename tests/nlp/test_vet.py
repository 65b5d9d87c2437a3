"""What is odd about phrases and names."""

import pytest
from tuned import tuned

from config.schema import Category, Config
from nlp.listed import Kept, Listed
from nlp.vet import Oddity, oddities


@pytest.fixture(scope="module")
def small(config: Config) -> Config:
    """A few lists: to compile two thousand phrases takes longer than a test."""
    categories = {name: config.keywords.categories[name] for name in ("food", "waiting", "parking")}
    few = tuned(config, "", categories=categories, signs={})
    for table in ("urgency.danger", "urgency.here_now", "urgency.serious", "voices.news"):
        few = tuned(few, table, phrases=("knife",))
    return tuned(few, "voices.promo", phrases=("free trial",))


def odd(config: Config, *kept: Kept) -> list[Oddity]:
    return oddities(config, Listed(config.keywords, config.hospital), kept)


def of_food(config: Config, *phrases: str, kept: tuple[Kept, ...] = ()) -> list[Oddity]:
    food = tuned(config, "categories.food", phrases=phrases)
    return [one for one in odd(food, *kept) if one.path[:2] == ("categories", "food")]


def test_the_shipped_files_give_no_warning(config: Config) -> None:
    assert [one.says for one in odd(config) if not one.is_small] == []


@pytest.mark.parametrize(
    ("phrases", "kind", "says"),
    [
        (("soup", "salad", "Soup"), "twice", "'Soup' stands in this list already, as 'soup'"),
        (("cafetería", "cafeteria"), "twice", "'cafeteria' stands in this list already, as 'cafetería'"),
        (("a|b soup", "b|a soup"), "twice", "'b|a soup' stands in this list already"),
        (("soup", "soup bowl"), "covered", "'soup bowl' finds nothing that 'soup' of the same list does not find"),
        (("meal*", "meal tray"), "covered", "'meal tray' finds nothing that 'meal*' of"),
        (("meal~", "meals"), "covered", "'meals' finds nothing that 'meal~' of"),
        (("soup NEAR/8 cold", "cold soup"), "covered", "'cold soup' finds nothing that 'soup NEAR/8 cold' of"),
        (("soup ... cold", "soup cold"), "covered", "'soup cold' finds nothing"),
        (("soup", "soup NOT spoon"), "covered", "'soup NOT spoon' finds nothing"),
        (("soup", 'soup site:"Harbor Campus"'), "covered", "finds nothing that 'soup' of"),
        (("fish fry tray",), "excluded", "is found only in posts that 'fish fry' of [exclude] leaves out"),
        (("free trial meal",), "excluded", "of [voices.promo] takes for adverts or news, unless"),
        (("cold\tsoup",), "characters", "holds a tab or a line break"),
        (("so\u200bup",), "characters", "holds what cannot be seen (zero width space)"),
        (("so\u00adup",), "characters", "(soft hyphen)"),
        (("cold\u00a0soup",), "characters", "(no-break space)"),
    ],
)
def test_what_is_odd(small: Config, phrases: tuple[str, ...], kind: str, says: str) -> None:
    (found,) = of_food(small, *phrases)
    assert found.path == ("categories", "food", "phrases", len(phrases) - 1)
    assert found.kind == kind
    assert says in found.says


@pytest.mark.parametrize(
    ("beside", "phrase"),
    [
        ("soup bowl", "soup plate"),
        ("soup bowl", "soup"),
        ("soup", "soups"),
        ('"Soup"', "soup"),  # an exact one finds less
        ("soup NOT spoon", "soup bowl"),  # not where there is a spoon
        ("soup lang:es", "soup bowl"),
        ("cold soup", "cold ... soup"),  # finds more
        ("soup NEAR cold", "soup NEAR/8 cold"),
        ("meals", "meal~"),
        ("meal", "meal*"),
        ("soup", "didn’t eat"),  # an apostrophe as phones type it is none of Word's quotation marks
    ],
)
def test_what_is_not_odd(small: Config, beside: str, phrase: str) -> None:
    assert [one for one in of_food(small, beside, phrase) if one.phrase == phrase] == []


def test_an_exclusion_that_leaves_out_some_posts_only_excludes_no_phrase(small: Config) -> None:
    excluding = tuned(small, "exclude", phrases=("fish fry NOT spoon",))
    assert of_food(excluding, "fish fry tray") == []


def test_words_around_an_urgent_phrase_decide_so_only_the_very_same_words_cover_it(small: Config) -> None:
    danger = tuned(small, "urgency.danger", phrases=("no pulse", "pulse", "suicid*", "suicide"))
    assert [one.phrase for one in odd(danger) if one.path[:2] == ("urgency", "danger")] == ["suicide"]


def test_nothing_hides_danger(small: Config) -> None:
    danger = tuned(small, "urgency.danger", phrases=("collapsed at the fish fry",))
    assert [one.kind for one in odd(danger) if one.path[:2] == ("urgency", "danger")] == []


SOUP = tuple(Kept(f"the soup of day {number} was cold") for number in range(20))
REST = tuple(Kept(f"it rained on day {number}") for number in range(180))


def test_a_phrase_in_a_tenth_of_all_posts(small: Config) -> None:
    (found,) = of_food(small, "soup", kept=(*SOUP, *REST))
    assert (found.kind, found.posts, found.of) == ("broad", 20, 200)
    assert of_food(small, "soup", kept=(*SOUP[1:], *REST)) == []
    assert of_food(small, "soup", kept=SOUP) == [], "twenty posts tell nothing"


def test_a_phrase_of_two_owners_is_told_where_it_does_something(small: Config) -> None:
    both = tuned(small, "categories.parking", phrases=("soup",), owner="Facilities")
    for kept, posts, of, is_small in (
        ((*SOUP[:5], *REST), 5, 185, False),
        ((*SOUP[:4], *REST), 4, 184, True),
        ((*SOUP[:5], *REST, *REST, *REST), 5, 545, True),  # not one of a hundred
        ((), None, None, True),
    ):
        (found,) = [one for one in odd(both, *kept) if one.kind == "owners"]
        assert found.path == ("categories", "parking", "phrases", 0)
        assert "stands in food (Food Services) too, so both Food Services and Facilities" in found.says
        assert (found.posts, found.of, found.is_small) == (posts, of, is_small)


def test_the_same_owner_minds_nothing(small: Config) -> None:
    both = tuned(small, "categories.parking", phrases=("soup",), owner="Food Services")
    assert [one for one in odd(both) if one.kind == "owners"] == []


def test_capitals_that_nobody_types(small: Config) -> None:
    (found,) = of_food(small, '"SoUp"', kept=SOUP[:6])
    assert found.kind == "capitals"
    assert "in 6 with other capitals" in found.says
    assert of_food(small, '"soup"', kept=SOUP[:6]) == []
    assert of_food(small, '"SoUp"', kept=SOUP[:4]) == []


@pytest.mark.parametrize(
    ("table", "name", "kind", "says"),
    [
        ("aliases", "Mercy", "name", "is an everyday word"),
        ("aliases", "will", "name", "is an everyday word"),
        ("aliases", "ST BRIGIDS WELL", "never", "a name of not_us takes it away"),
        ("aliases", "Saint “B”", "characters", "as Word makes it (“)"),
        ("not_us", "Holy Cross", "name", "changes nothing: it holds none of our names"),
        ("not_us", "St. Brigid's\u200b Cup", "characters", "cannot be seen"),
    ],
)
def test_names(small: Config, table: str, name: str, kind: str, says: str) -> None:
    names = (*getattr(small.hospital, table), name)
    (found,) = [one for one in odd(tuned(small, "hospital", **{table: names})) if one.file == "hospital.toml"]
    assert (found.path, found.kind) == ((table, len(names) - 1), kind)
    assert says in found.says


def test_a_category_that_finds_nothing(small: Config) -> None:
    empty = {**small.keywords.categories, "chapel": Category(title="Chapel", owner="Chaplaincy")}
    (found,) = [one for one in odd(tuned(small, "", categories=empty)) if one.kind == "empty"]
    assert found.path == ("categories", "chapel")
