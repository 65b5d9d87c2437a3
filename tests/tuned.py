"""The shipped configuration with some of its phrases changed."""

from typing import Any

from config.schema import Config


def tuned(config: Config, table: str, **update: Any) -> Config:
    """With other values in one table of keywords.toml, as "categories.food", or of hospital.toml: "hospital"."""
    if table == "hospital":
        return config.model_copy(update={"hospital": config.hospital.model_copy(update=update)})
    return config.model_copy(update={"keywords": _with(config.keywords, table.split("."), update)})


def _with(value: Any, path: list[str], update: dict[str, Any]) -> Any:
    if not any(path):
        return value.model_copy(update=update)
    name, *rest = path
    if isinstance(value, dict):
        return {**value, name: _with(value[name], rest, update)}
    return value.model_copy(update={name: _with(getattr(value, name), rest, update)})
