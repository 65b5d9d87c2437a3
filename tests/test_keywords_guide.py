"""docs/keywords.md tells nothing that is not so: its lines are taken, its phrases read, its commands there, its sentences said."""

import re
import tomllib
from typing import Any

import pytest
from conftest import PROJECT

from config.editor import schemas
from config.schema import Config, Hospital, Keywords
from listener.collect import settings_of_all
from nlp.examples import failures
from nlp.phrase_language import check, check_site

GUIDE = (PROJECT / "docs" / "keywords.md").read_text(encoding="utf-8")
RECIPES = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)]
SHIPPED = {
    name: tomllib.loads((PROJECT / "config" / f"{name}.toml").read_text(encoding="utf-8"))
    for name in ("hospital", "keywords")
}


def merged(old: Any, new: Any) -> Any:
    """What is there after an admin has written a recipe: more entries in a list, more tables."""
    if isinstance(new, dict):
        return {**old, **{key: merged(old[key], value) if key in old else value for key, value in new.items()}}
    return [*old, *(one for one in new if one not in old)] if isinstance(new, list) else new


def test_there_are_five_recipes_on_one_page() -> None:
    assert re.findall(r"^### (\d)\.", GUIDE, re.MULTILINE) == list("12345")
    assert len(RECIPES) == 5
    assert GUIDE.count("\n") <= 130


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids="-".join)
def test_a_recipe_is_taken_and_its_examples_are_found(config: Config, recipe: dict[str, Any]) -> None:
    file = "hospital" if set(recipe) & set(schemas(settings_of_all())["hospital"]["properties"]) else "keywords"
    values = merged(SHIPPED[file], recipe)
    model = Hospital if file == "hospital" else Keywords
    changed = config.model_copy(update={file: model.model_validate(values)})
    for table in changed.keywords.categories.values():
        for phrase in table.phrases:
            check(phrase)
    assert [str(failure) for failure in failures(changed)] == []


def test_every_phrase_of_the_table_can_be_written_so(config: Config) -> None:
    table = GUIDE.partition("## How a phrase is written")[2].partition("## ")[0]
    cells = re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)
    assert len(cells) == 10
    sites = {site.name: site.aliases for site in config.hospital.sites}
    for cell in cells:
        (phrase,) = tomllib.loads(f"x = [{cell.replace(chr(92) + '|', '|')}]")["x"]
        check(phrase)
        check_site(phrase, sites)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day = “mon”\n", "straight quotation marks"),
        ("hour\u00a0= 8\n", "here stands NO-BREAK SPACE"),
        ('sections = ["a" "b"]\n', "a comma between two entries"),
        ("hour = 8\nhour = 9\n", "given twice, first in line 1"),
    ],
)
def test_what_it_says_is_what_the_page_says(tmp_path: Any, text: str, said: str) -> None:
    from config.load import ConfigError, load

    (tmp_path / "report.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load(tmp_path, settings_of_all())
    assert re.sub(r"\d+", "", said) in re.sub(r"\d+", "", GUIDE)
