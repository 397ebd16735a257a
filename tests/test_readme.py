"""README and docs say only what is true: commands, code, files, links and the table of configs."""

import ast
import importlib
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mmdet_lite.cli.__main__ import COMMANDS
from mmdet_lite.config import load_config

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
LAUNCHERS = {  # script -> the command it starts, and how it counts its own words before the rest
    "dist_train.sh": ("train", lambda words: [words[0], *words[2:]]),
    "dist_test.sh": ("test", lambda words: [*words[:2], *words[3:]]),
    "slurm_train.sh": ("train", lambda words: [words[2], "--work-dir", *words[3:]]),
    "slurm_test.sh": ("test", lambda words: words[2:]),
}


def blocks(language: str) -> Iterator[tuple[Path, str]]:
    """All fenced blocks of a language in all pages, without their indentation."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for indent, body in re.findall(
            rf"^( *)```{language}\n(.*?)^ *```$", text, flags=re.DOTALL | re.MULTILINE
        ):
            yield page, "\n".join(line.removeprefix(indent) for line in body.splitlines()) + "\n"


def shell_lines() -> list[str]:
    return [line for _, body in blocks("bash") for line in body.splitlines() if line.strip()]


def commands() -> list[str]:
    return [line for line in shell_lines() if re.search(r"tools/|mmdet-lite", line)]


def parser_of(module_name: str) -> Callable[[list[str]], Any]:
    """What reads the arguments of a command, without running it."""
    module = importlib.import_module(f"mmdet_lite.cli.{module_name}")
    if hasattr(module, "parse_args"):
        return module.parse_args
    return module._parser().parse_args


def read_command(line: str) -> Any:
    """Parse a line of the docs as its own command would; SystemExit if it is refused."""
    words = shlex.split(line)
    while "=" in words[0]:  # NAME=VALUE before the command
        words = words[1:]
    if words[0] == "python":
        words = words[1:]
    program, rest = words[0], words[1:]
    if program == "mmdet-lite":
        return parser_of(COMMANDS[rest[0]][0])(rest[1:])
    assert (ROOT / program).is_file(), f"{program} of {line!r} does not exist"
    if program.endswith(".sh"):
        command, arguments = LAUNCHERS[Path(program).name]
        return parser_of(command)(arguments(rest))
    module = re.search(r"mmdet_lite\.cli\.(\w+) import main", (ROOT / program).read_text())
    assert module, f"{program} does not name its command's module"
    return parser_of(module[1])(rest)


def documented_configs() -> Iterator[tuple[Path, str]]:
    """Code blocks that are config files: they begin with their path."""
    for _, body in blocks("python"):
        if found := re.match(r"# (configs/\S+\.py)\n", body):
            yield Path(found[1]), body


def test_commands_are_found_in_the_readme() -> None:
    programs = {word for line in commands() for word in line.split() if word.startswith("tools/")}
    scripts = {p.relative_to(ROOT).as_posix() for p in (ROOT / "tools").rglob("*.[ps][yh]")}
    assert programs == scripts


@pytest.mark.parametrize("line", commands())
def test_command_is_accepted_by_its_parser(line: str) -> None:
    read_command(line)


def test_a_wrong_flag_would_be_seen() -> None:
    with pytest.raises(SystemExit):
        read_command("python tools/train.py configs/a.py --work-dri x")


def test_every_other_shell_line_is_a_make_target_or_known() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    others = [line for line in shell_lines() if line not in commands()]
    known = {"pip install --editable .", "source .venv/bin/activate"}
    for line in others:
        words = line.split()
        assert line in known or (words[0] == "make" and words[-1] in targets), line


@pytest.mark.parametrize("body", [body for _, body in blocks("python")])
def test_code_compiles_and_its_imports_resolve(body: str) -> None:
    tree = ast.parse(body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"


def test_documented_configs_pass_the_checks(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    found = list(documented_configs())
    assert found
    for path, body in found:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(body, encoding="utf-8")
        cfg = load_config(tmp_path / path)
        classes = cfg.train_dataloader.dataset.metainfo.classes
        assert cfg.model.roi_head.bbox_head.num_classes == len(classes)
        assert cfg.model.roi_head.mask_head.num_classes == len(classes)
        for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
            assert loader.dataset.metainfo == {"classes": classes}
            assert loader.dataset.data_root == "data/mine/"
        assert cfg.test_evaluator.ann_file == "data/mine/val/annotation_coco.json"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_file_named_exists(page: Path) -> None:
    documented = {path.as_posix() for path, _ in documented_configs()}
    older = {"configs/mask_rcnn/mask_rcnn_r50_fpn_1x_coco.py"}  # shown as an older spelling
    text = page.read_text(encoding="utf-8")
    folders = "configs|tools|docs|mmdet_lite|tests|benchmarks"
    named = set(re.findall(rf"(?<![\w/.])(?:{folders})/[\w./-]*[\w/]", text))
    for name in named - documented - older:
        assert (ROOT / name).exists(), f"{page.name} names {name}, which does not exist"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8"))
    for link in links:
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def configs_listed_in(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^\| `(configs/[^`]+\.py)` \|", text, flags=re.MULTILINE)


def test_table_of_configs_lists_the_configs_on_disk() -> None:
    listed = configs_listed_in("docs/configs.md")
    on_disk = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "configs").rglob("*.py")
        if "_base_" not in path.parts
    }
    assert len(listed) == len(set(listed))
    assert set(listed) == on_disk, "run tools/analysis_tools/config_table.py"


def test_short_table_of_the_readme_is_part_of_the_whole_one() -> None:
    listed = configs_listed_in("README.md")
    assert listed
    assert set(listed) <= set(configs_listed_in("docs/configs.md"))


def test_table_of_rooms_lists_the_rooms_on_disk() -> None:
    text = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)/` \|", text, flags=re.MULTILINE))
    on_disk = {path.parent.name for path in (ROOT / "mmdet_lite").glob("*/__init__.py")}
    assert listed == on_disk


def test_pictures_of_the_design_name_methods_that_are_there() -> None:
    bases: dict[str, list[str]] = {}
    methods: dict[str, set[str]] = {}
    for path in (ROOT / "mmdet_lite").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
                methods[node.name] = {d.name for d in node.body if isinstance(d, ast.FunctionDef)}

    def has(cls: str, name: str) -> bool:
        return name in methods.get(cls, ()) or any(has(base, name) for base in bases.get(cls, ()))

    text = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    pictures = "".join(re.findall(r"^```$.*?^```$", text, flags=re.MULTILINE | re.DOTALL))
    named = re.findall(r"\b([A-Z]\w+)\.([a-z_]\w*)", pictures)
    assert len(named) > 20
    assert [f"{cls}.{name}" for cls, name in named if not has(cls, name)] == []


def test_components_named_for_mmdetections_users_are_registered() -> None:
    from mmdet_lite import registry

    text = (ROOT / "docs/from_mmdetection.md").read_text(encoding="utf-8")
    registries = {
        "detectors": (registry.MODELS,),
        "parts": (registry.MODELS,),
        "task modules": (registry.TASK_UTILS,),
        "losses": (registry.MODELS,),
        "data sets": (registry.DATASETS, registry.DATA_SAMPLERS),
        "transforms": (registry.TRANSFORMS,),
        "metrics": (registry.METRICS, registry.EVALUATOR),
        "hooks": (registry.HOOKS,),
    }
    for kind, holders in registries.items():
        row = re.search(rf"^\| {kind} \| (.*) \|$", text, flags=re.MULTILINE)
        assert row, kind
        for name in re.findall(r"`(\w+)`", row[1]):
            assert any(holder.get(name) for holder in holders), f"{kind}: {name}"


def test_pictures_of_the_docs_are_small() -> None:
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < 500_000, picture.name
