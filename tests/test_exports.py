"""What a module offers is written down in it: ``__all__`` exists and is true."""

import ast
import importlib
import importlib.util
import pkgutil
from types import ModuleType
from typing import Final

import pytest

import sukkal

# All of `limits` is public, and a list beside its table would only repeat it.
WITHOUT_LIST: Final = frozenset({"sukkal.limits"})

MODULES: Final = sorted(
    {"sukkal"} | {module.name for module in pkgutil.walk_packages(sukkal.__path__, "sukkal.")} - WITHOUT_LIST
)


NOT_INSTALLED: Final = "sukkal.oslo."
"""What is below this needs an extra that is only where the driver runs; it is read instead of imported."""


def as_written(name: str) -> tuple[ModuleType, str]:
    """Return a module with the names that it defines, without running it, and its text."""
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    with open(found.origin, encoding="utf-8") as file:
        text = file.read()
    module = ModuleType(name)
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        defined = [getattr(node, "name", None), *(getattr(target, "id", None) for target in targets)]
        vars(module).update(dict.fromkeys(filter(None, defined)))
        if isinstance(node, ast.Assign) and defined[1] == "__all__":
            module.__dict__["__all__"] = ast.literal_eval(node.value)
    return module, text


def faults(module: ModuleType, text: str) -> list[str]:
    """Return what is wrong with a module's list of public names."""
    if not isinstance(names := getattr(module, "__all__", None), list):
        return ["it has no __all__"]
    found = [f"{name} is listed and not there" for name in names if not hasattr(module, name)]
    found += [f"{name} is listed and private" for name in names if name.startswith("_") and name != "__version__"]
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    defined = [node.name for node in ast.parse(text).body if isinstance(node, kinds)]
    unlisted = [name for name in defined if not name.startswith("_") and name not in names]
    return found + [f"{name} is public and not listed" for name in unlisted]


@pytest.mark.parametrize("name", MODULES)
def test_the_list_of_public_names_is_true(name: str) -> None:
    if name.startswith(NOT_INSTALLED):
        assert faults(*as_written(name)) == []
        return
    module = importlib.import_module(name)
    assert module.__file__ is not None
    with open(module.__file__, encoding="utf-8") as file:
        assert faults(module, file.read()) == []


def test_all_modules_are_looked_at() -> None:
    assert {"sukkal", "sukkal.store", "sukkal.cli.welcome", "sukkal.engines.sqlite"} <= set(MODULES)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def f(): ...", "it has no __all__"),
        ("__all__ = ['gone']", "gone is listed and not there"),
        ("__all__ = ['_x']\n_x = 1", "_x is listed and private"),
        ("__all__ = []\nclass New: ...", "New is public and not listed"),
    ],
)
def test_a_list_that_is_not_true_is_noticed(text: str, fault: str) -> None:
    module = ModuleType("example")
    exec(text, module.__dict__)
    assert faults(module, text) == [fault]
