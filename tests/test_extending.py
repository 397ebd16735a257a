"""What docs/extending.md says is carried out: its classes, its configs and its tests."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.structures import InstanceData

import mmdet_lite.models  # noqa: F401  (so that what a recipe registers is its own)
from mmdet_lite.config import load_config
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import DetDataSample, PolygonMasks

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "extending.md"


@dataclass(frozen=True)
class Recipe:
    what: str
    module: str
    config: str
    config_path: str
    tests: str


def recipes() -> Iterator[Recipe]:
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        what = section.splitlines()[0]
        module, config, tests = re.findall(r"^```python\n(.*?)^```$", section, re.M | re.S)
        named = re.search(r"config of `(configs/\w+/)`,\s+called\s+`(\S+\.py)`", section)
        assert named, f"{what}: where the config goes"
        assert [f"**{n}. " in section for n in range(1, 6)] == [True] * 5
        yield Recipe(what, module, config, named[1] + named[2], tests)


@pytest.fixture
def registered(recipe: Recipe) -> Iterator[frozenset[str]]:
    """The classes of the recipe's module, registered for one test only."""
    before = dict(MODELS.module_dict)
    exec(compile(recipe.module, f"{PAGE}: {recipe.what}", "exec"), {"__name__": "recipe"})
    new = frozenset(MODELS.module_dict) - set(before)
    yield new
    for name in new:
        MODELS.module_dict.pop(name)


def small(cfg: Any) -> Any:
    """The model without a download and with few regions."""
    cfg.model.backbone.init_cfg = None
    cfg.model.train_cfg.rpn_proposal.max_per_img = 20
    cfg.model.test_cfg.rpn.max_per_img = 20
    cfg.model.train_cfg.rcnn.sampler.num = 16
    return cfg.model


def sample() -> DetDataSample:
    size = (64, 64)
    found = DetDataSample(
        metainfo={"img_shape": size, "ori_shape": size, "pad_shape": size, "scale_factor": (1, 1)}
    )
    outline = torch.tensor([8, 8, 40, 8, 40, 48, 8, 48]).numpy()
    found.gt_instances = InstanceData(
        bboxes=torch.tensor([[8.0, 8, 40, 48]]),
        labels=torch.tensor([3]),
        masks=PolygonMasks([[outline]], *size),
    )
    found.ignored_instances = InstanceData(bboxes=torch.zeros(0, 4))
    return found


@pytest.fixture(params=list(recipes()), ids=lambda recipe: recipe.what)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return request.param


def test_a_loss_a_backbone_and_a_head_are_told() -> None:
    assert [recipe.what.split(",")[0] for recipe in recipes()] == [
        "Add a loss",
        "Add a backbone",
        "Add a head",
    ]


def test_recipe_adds_one_part_that_its_config_names(
    recipe: Recipe, registered: frozenset[str]
) -> None:
    [name] = registered
    assert f'type="{name}"' in recipe.config
    for folder in re.findall(r"`((?:mmdet_lite|tests|configs)/[\w/]*)`", PAGE.read_text("utf-8")):
        assert (ROOT / folder).is_dir() or (ROOT / folder).is_file()


@pytest.mark.usefixtures("registered")
def test_config_of_the_recipe_passes_the_checks_trains_and_predicts(
    recipe: Recipe, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    path = tmp_path / recipe.config_path
    path.write_text(recipe.config, encoding="utf-8")
    model = MODELS.build(small(load_config(path)))
    image = torch.randn(1, 3, 64, 64)
    losses = model(image, [sample()], mode="loss")
    sum(value for name, value in losses.items() if "loss" in name).backward()
    assert all(torch.isfinite(value).all() for value in losses.values())
    model.eval()
    with torch.inference_mode():
        [found] = model(image, [sample()], mode="predict")
    assert found.pred_instances.bboxes.shape[1] == 4


@pytest.mark.usefixtures("registered")
def test_tests_of_the_recipe_pass(recipe: Recipe) -> None:
    names: dict[str, Any] = {}
    exec(compile(recipe.tests, f"{PAGE}: {recipe.what}: tests", "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) >= 2
    for test in tests:
        test()
