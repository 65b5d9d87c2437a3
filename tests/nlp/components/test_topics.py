"""What a post speaks of."""

import pytest

from config.schema import Category, Config
from nlp.pipeline import Reader, Text

# Said without a phrase of keywords.toml.
READ = {
    "food": "the gravy had a skin on it and nobody asked about my diet",
    "parking": "drove around the lot for ages and then left the car on the grass",
    "billing": "how is an aspirin forty dollars on this statement",
    "digital": "your site logs me out whenever I click on my results",
    "attitude": "she rolled her eyes when I asked for a blanket",
    "facilities": "the lift has been out since Tuesday and the toilets stink",
}


@pytest.mark.parametrize(("topic", "text"), READ.items())
def test_topics_without_a_phrase(reader: Reader, topic: str, text: str) -> None:
    said = next(reader.read([Text(text, about_us=True)]))
    assert topic in [found["id"] for found in said["categories"]], said["categories"]


def test_words_show_it(reader: Reader) -> None:
    [said] = reader.read([Text("the soup was cold", about_us=True)])
    [food] = [found for found in said["categories"] if found["id"] == "food"]
    assert any("soup" in words for words in food["words"])
    assert 0.5 <= food["score"] <= 1


def with_category(config: Config, **phrases: tuple[str, ...]) -> Config:
    added = Category(title="Chaplaincy", owner="spiritual care", **phrases)
    categories = {**config.keywords.categories, "chaplaincy": added}
    return config.model_copy(update={"keywords": config.keywords.model_copy(update={"categories": categories})})


def test_an_admins_category_is_found_by_its_examples(config: Config) -> None:
    changed = with_category(
        config,
        match=(
            "nobody called the chaplain when my mother was dying",
            "the priest came and prayed with us before surgery",
            "is there a prayer room for muslim families",
        ),
        no_match=("the waiting room was full",),
    )
    [near, far] = Reader(changed).read(
        [
            Text("we asked for a chaplain twice and no one came to pray with dad", about_us=True),
            Text("the bill has a mistake in it", about_us=True),
        ]
    )
    assert "chaplaincy" in [found["id"] for found in near["categories"]]
    assert "chaplaincy" not in [found["id"] for found in far["categories"]]


def test_a_category_that_the_admin_took_out_is_not_said(config: Config) -> None:
    categories = {name: found for name, found in config.keywords.categories.items() if name != "food"}
    changed = config.model_copy(update={"keywords": config.keywords.model_copy(update={"categories": categories})})
    [said] = Reader(changed).read([Text("the soup was cold and the tray was late", about_us=True)])
    assert "food" not in [found["id"] for found in said["categories"]]
