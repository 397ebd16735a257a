"""Which room may know which: read from the imports, held here. The table is docs/design.md's."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "mmdet_lite"
MAY_IMPORT: dict[str, set[str]] = {
    "registry": set(),
    "ops": set(),
    "structures": {"ops"},
    "config": {"registry", "ops"},
    "datasets": {"registry", "structures", "ops"},
    "models": {"registry", "structures", "ops"},
    "evaluation": {"registry", "structures", "ops"},
    "visualization": {"registry", "structures", "ops"},
    "engine": {"registry", "structures", "checkpoint"},
    "checkpoint": {"registry", "ops"},
}
MAY_IMPORT["apis"] = set(MAY_IMPORT)
MAY_IMPORT["cli"] = set(MAY_IMPORT)
ALL_ROOMS = set(MAY_IMPORT)
CONCRETE_HEADS = ("dense_heads", "roi_heads")
KNOW_THE_DATA_SAMPLE = (
    "models/detectors/",
    "models/data_preprocessor.py",
    "datasets/transforms/packing.py",
    "evaluation/",
    "visualization/",
    "apis/",
    "structures/",
)


def source_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports_of(tree: ast.AST) -> set[str]:
    """Dotted names of this package that a module imports, the imported names included."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "mmdet_lite"}


def rooms_of(tree: ast.AST) -> set[str]:
    return {name.split(".")[1] for name in imports_of(tree) if "." in name} & ALL_ROOMS


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def parse(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def test_every_room_is_in_the_table():
    assert {room(path) for path in source_files()} - {"__init__"} <= set(MAY_IMPORT)


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_a_room_imports_only_what_it_may(name):
    wrong = {
        name_of(path): sorted(rooms_of(parse(path)) - MAY_IMPORT[name] - {name})
        for path in source_files()
        if room(path) == name
    }
    assert {file: rooms for file, rooms in wrong.items() if rooms} == {}


def test_the_package_itself_imports_nothing():
    tree = parse(PACKAGE / "__init__.py")
    assert not [n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))]


def test_detectors_import_no_concrete_head():
    for path in (PACKAGE / "models" / "detectors").glob("*.py"):
        heads = {
            name for name in imports_of(parse(path)) for head in CONCRETE_HEADS if head in name
        }
        assert heads == set(), name_of(path)


@pytest.mark.parametrize("part", ["losses", "task_modules"])
def test_losses_and_task_modules_know_registry_and_ops_alone(part):
    allowed = ("mmdet_lite.registry", "mmdet_lite.ops", f"mmdet_lite.models.{part}")
    for path in (PACKAGE / "models" / part).glob("*.py"):
        wrong = [name for name in imports_of(parse(path)) if not name.startswith(allowed)]
        assert wrong == [], name_of(path)


def test_only_the_ends_of_the_road_know_the_data_sample():
    def mentions(tree: ast.AST) -> bool:
        return any(
            (isinstance(node, ast.Name) and node.id == "DetDataSample")
            or (isinstance(node, ast.alias) and node.name == "DetDataSample")
            for node in ast.walk(tree)
        )

    knowing = [name_of(path) for path in source_files() if mentions(parse(path))]
    assert knowing, "the test looks for a name that nobody uses"
    assert [name for name in knowing if not name.startswith(KNOW_THE_DATA_SAMPLE)] == []


def test_the_check_itself_sees_a_forbidden_import():
    tree = ast.parse("def f():\n    from mmdet_lite.models.losses import L1Loss\n")
    assert rooms_of(tree) == {"models"}
    assert rooms_of(ast.parse("from mmdet_lite import models, registry")) == {"models", "registry"}
    assert rooms_of(ast.parse("import mmdet_lite.cli.train")) == {"cli"}
