"""Every table: its module has to be loaded before SQLModel knows it."""

import importlib
import pkgutil

# Training needs torch and onnx.
WITHOUT_TABLES = ("nlp.train", "nlp.rounding", "alerts.privacy.train")


def every_table() -> None:
    """Load every module that may define a table."""
    for name in ("listener", "nlp", "alerts"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if "migrations" not in module.name and module.name not in WITHOUT_TABLES:
                importlib.import_module(module.name)
