"""Every phrase by itself."""

from tuned import tuned

from config.schema import Config
from nlp.components.keywords import phrases_of
from nlp.listed import Kept, Listed, Taken, entries


def test_the_entries_are_the_phrases_that_the_reader_has(config: Config) -> None:
    listed = entries(config.keywords)
    mine = {(one.label, one.phrase) for one in listed}
    grave = {("urgency:serious", one.phrase) for one in listed if one.label.startswith("sign:")}
    own = {(label, phrase) for label, found in phrases_of(config.keywords).items() for phrase in found}
    assert mine | grave == own


def test_each_has_its_place(config: Config) -> None:
    for one in entries(config.keywords):
        table: object = config.keywords
        for part in one.path:
            table = (
                table[part] if isinstance(table, dict | tuple) else getattr(table, str(part))  # type: ignore[index]
            )
        assert table == one.phrase
        assert one.label.replace(":", ".").split(".")[-1] == one.table.split(".")[-1]


def test_posts_say_which_phrases_they_hold(config: Config) -> None:
    listed = Listed(config.keywords, config.hospital)
    held = {
        listed.entries[number] for number in listed.numbers(listed.doc(Kept("the soup was cold, the portal is down")))
    }
    assert {(one.table, one.phrase) for one in held} == {("categories.food", "soup"), ("categories.digital", "portal")}


def test_site_place_and_language_are_believed(config: Config) -> None:
    here = ('soup site:"Brigid Harbor"', 'soup site:"Harbor Campus"')
    changed = tuned(config, "categories.food", phrases=(*here, "soup lang:es"))
    listed = Listed(changed.keywords, changed.hospital)

    def held(post: Kept) -> list[str]:
        numbers = listed.numbers(listed.doc(post))
        return sorted(one.phrase for at, one in enumerate(listed.entries) if at in numbers and "soup" in one.phrase)

    assert held(Kept("soup")) == []
    assert held(Kept("soup", "Harbor Campus")) == list(here)
    assert held(Kept("soup", None, "es")) == ["soup lang:es"]
    assert held(Kept("soup", None, "en", "Emergency")) == list(here)


def test_a_longer_name_takes_a_post_away_unless_ours_stands_beside_it(config: Config) -> None:
    taken = Taken(config.hospital)
    assert taken("the raffle of St. Brigid's Parish and St Brigids School") == {
        "St. Brigid's Parish",
        "St. Brigid's School",
    }
    assert taken("St. Brigid's Parish prays for St. Brigid's Hospital") == set()
    assert taken("nothing of ours") == set()
