"""The arrows of the house go down only: data <- models <- training, serving <- faqra."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {
    "faqra_data": ROOT / "data" / "faqra_data",
    "faqra_models": ROOT / "models" / "faqra_models",
    "faqra_training": ROOT / "training" / "faqra_training",
    "faqra_serving": ROOT / "serving" / "faqra_serving",
    "faqra": ROOT / "faqra",
}
ALLOWED = {
    "faqra_data": set[str](),
    "faqra_models": {"faqra_data"},
    "faqra_training": {"faqra_data", "faqra_models"},
    "faqra_serving": {"faqra_data", "faqra_models"},
    "faqra": {"faqra_data", "faqra_models", "faqra_training", "faqra_serving"},
}
# What is foreign stands behind one door: the modules of a room that may import it.
DOORS = {
    "selectolax": {"faqra_data.html"},
    "ray": {"faqra_serving.cluster"},
    "charset_normalizer": {"faqra_data.charset"},
    "warcio": {"faqra_data.warc"},
    "fsspec": {"faqra_data.remote"},
    "aiohttp": {"faqra_data.remote"},
    "datasketch": {"faqra_data.duplicates"},
    "onnxruntime": {"faqra_models.onnx_backend", "faqra_models.export"},
    "bentoml": {"faqra_models.store", "faqra_serving.service"},
    "httpx": {"faqra.client"},
    "fastapi": {"faqra_serving.app"},
    "prometheus_client": {"faqra_serving.metrics"},
    "matplotlib": {"faqra_training.curves"},
}
# Rooms that answer with a bundled model, and what must not be needed for that.
LIGHT = ("faqra_data", "faqra", "faqra_models")
HEAVY = {"torch", "transformers", "datasets", "sklearn", "accelerate"}


def modules(room: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOMS[room].rglob("*.py")):
        parts = path.relative_to(ROOMS[room]).with_suffix("").parts
        name = ".".join((room, *(part for part in parts if part != "__init__")))
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> set[str]:
    """The top-level packages that a piece of code imports, at any depth."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add((node.module or "").partition(".")[0])
    return found


def at_the_top(tree: ast.Module) -> ast.Module:
    """The code without its functions and without what only type checkers read."""
    kept = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return ast.Module(kept, [])


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_the_rooms_below_it(room: str) -> None:
    for name, tree in modules(room):
        others = imported(tree) & ROOMS.keys() - {room}
        assert others <= ALLOWED[room], f"{name} imports {others - ALLOWED[room]}"


@pytest.mark.parametrize("package", DOORS)
def test_what_is_foreign_stands_behind_one_door(package: str) -> None:
    users = {name for room in ROOMS for name, tree in modules(room) if package in imported(tree)}
    assert users == DOORS[package]


@pytest.mark.parametrize("room", LIGHT)
def test_heavy_packages_are_imported_only_by_who_asks_for_them(room: str) -> None:
    heavy = {name for name, tree in modules(room) if imported(at_the_top(tree)) & HEAVY}
    allowed = {"torch_backend", "export", "modernbert"}
    assert heavy <= {f"faqra_models.{name}" for name in allowed}


def test_no_module_is_imported_in_a_circle() -> None:
    graph = {
        name: {
            node.module
            for node in ast.walk(at_the_top(tree))
            if isinstance(node, ast.ImportFrom) and node.module
        }
        for room in ROOMS
        for name, tree in modules(room)
    }

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        for other in graph.get(name, ()):
            visit(other, (*path, name))

    for name in graph:
        visit(name, ())


def test_every_package_has_a_name_of_its_own() -> None:
    assert not ROOMS.keys() & sys.stdlib_module_names
