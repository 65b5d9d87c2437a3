"""What people call a topic; one that keywords.toml has no more keeps a readable name where it was spoken of. Pure."""

from collections.abc import Mapping

from config.schema import Config


def titles_of(config: Config) -> dict[str, str]:
    """The topics that there are, and what people call each."""
    return {name: category.title for name, category in config.keywords.categories.items()}


def title_of(topic: str, titles: Mapping[str, str]) -> str:
    """What people call a topic: its title, else its name made readable: "Lost property" for lost_property."""
    return titles.get(topic) or topic.replace("_", " ").capitalize()
