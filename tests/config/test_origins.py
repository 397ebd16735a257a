"""key_origins: the file and line that set each key."""

import re
from pathlib import Path
from typing import Any

import pytest

from mmdet_lite.config import Origin, key_origins, leaves, load_config

ROOT = Path(__file__).resolve().parents[2]

BASE = """num = 3
model = dict(
    type='MaskRCNN',
    head=dict(num_classes=num, depth=50),
    extra=dict(a=1))
steps = [
    dict(type='Resize', scale=(1, 2)),
    dict(type='Pack')]
train_dataloader = dict(dataset=dict(pipeline=steps))
train_cfg = dict(max_epochs=12)
"""
CHILD = """_base_ = 'base.py'
depth = 101
model = dict(
    head=dict(depth=depth),
    extra=dict(_delete_=True, b=2))
val_dataloader = dict(dataset=dict(pipeline={{_base_.steps}}, n=_base_.num))
_base_.train_cfg.max_epochs = 24
total = 2 * depth
hooks = [dict(type='Hook', n=n) for n in range(2)]
test_cfg = dict(**_base_.model.head, mode='x')
"""


@pytest.fixture
def child(tmp_path: Path) -> Path:
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "child.py").write_text(CHILD)
    return tmp_path / "child.py"


def places(path: Path, overrides: dict[str, Any] | None = None) -> dict[str, str]:
    """Origins as ``name:line how``."""
    return {key: text(origin) for key, (_, origin) in key_origins(path, overrides).items()}


def text(origin: Origin) -> str:
    place = "" if origin.file is None else origin.file.stem
    return f"{place}{'' if origin.line is None else f':{origin.line}'} {origin.how}".strip()


def test_each_value_leads_to_the_line_that_wrote_it(child: Path) -> None:
    found = places(child)
    expected = {
        "model.type": "base:3",
        "model.head.num_classes": "base:1",  # through a variable
        "model.head.depth": "child:2",
        "model.extra.b": "child:5",
        "train_dataloader.dataset.pipeline.0.scale": "base:7",
        "val_dataloader.dataset.pipeline.1.type": "base:8",  # {{_base_.steps}}
        "val_dataloader.dataset.n": "base:1",
        "train_cfg.max_epochs": "child:7",  # _base_.train_cfg.max_epochs = 24
        "total": "child:8",
        "hooks.0.type": "child:9",  # computed: the statement's line
        "hooks.1.n": "child:9",
        "test_cfg.num_classes": "base:1",  # **_base_.model.head
        "test_cfg.mode": "child:10",
    }
    assert {key: found[key] for key in expected} == expected
    assert "model.extra.a" not in found


def test_overrides_are_named_also_where_they_change_nothing(child: Path) -> None:
    found = places(child, {"train_cfg.max_epochs": 24, "model.head.depth": 18})
    assert found["train_cfg.max_epochs"] == "--cfg-options train_cfg.max_epochs"
    assert found["model.head.depth"] == "--cfg-options model.head.depth"
    assert found["model.type"] == "base:3"


def test_a_pipeline_override_is_named_where_it_went(tmp_path: Path) -> None:
    config = tmp_path / "c.py"
    config.write_text(
        "train_pipeline = [dict(type='Resize', scale=1), dict(type='Pack')]\n"
        "train_dataloader = dict(dataset=dict(pipeline=train_pipeline))\n"
    )
    found = places(config, {"train_pipeline.0.scale": 2})
    assert found["train_dataloader.dataset.pipeline.0.scale"] == (
        "--cfg-options train_pipeline.0.scale"
    )
    assert found["train_dataloader.dataset.pipeline.1.type"] == "c:1"


def test_translated_keys_keep_the_place_of_what_they_were(tmp_path: Path) -> None:
    config = tmp_path / "c.py"
    config.write_text(
        "default_scope = 'mmdet'\n"
        "model = dict(type='mmdet.MaskRCNN')\n"
        "optimizer = dict(\n    type='SGD',\n    lr=0.01)\n"
        "total_epochs = 7\n"
    )
    found = places(config)
    assert found["default_scope"] == "c:1 scope of MMDetection translated"
    assert found["model.type"] == "c:2 scope of MMDetection translated"
    assert found["optim_wrapper.optimizer.lr"] == "c:5 translated from optimizer.lr"
    assert found["train_cfg.max_epochs"] == "c:6 translated from total_epochs"
    assert found["optim_wrapper.type"].startswith("c:4 translated from optimizer")
    (tmp_path / "d.py").write_text("a = 1\n")
    assert places(tmp_path / "d.py")["default_scope"] == "default of this program"


def test_of_json_only_the_file_is_known(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"model": {"type": "X"}}')
    assert places(tmp_path / "c.json")["model.type"] == "c or a file it is made from"


@pytest.mark.parametrize(
    "name",
    [
        "mask_rcnn/mask-rcnn_r50-caffe_fpn_ms-poly-1x_coco.py",
        "pascal_voc/ssd300_voc0712.py",
        "cascade_rcnn/cascade-mask-rcnn_r50_fpn_20e_coco.py",
        "pascal_voc/faster-rcnn_r50_fpn_1x_voc0712-cocofmt.py",  # with keys that are dropped
        "balloon/mask-rcnn_r18_fpn_balloon.py",
    ],
)
def test_keys_and_values_are_those_of_load_config_and_literals_agree(name: str) -> None:
    path = ROOT / "configs" / name
    found = key_origins(path)
    loaded = dict(leaves(load_config(path, check=False)._cfg_dict))
    assert {key: value for key, (value, _) in found.items()} == loaded
    unclear = {key: o for key, (_, o) in found.items() if "behind" in o.how or o.line is None}
    assert set(unclear) <= {"default_scope"}
    texts = {key: v for key, (v, o) in found.items() if isinstance(v, (int, str)) and o.line}
    for key, value in texts.items():  # the line holds what it sets, if it computes nothing
        file, line = found[key][1].file, found[key][1].line
        assert file is not None and line is not None
        shown = file.read_text().splitlines()[line - 1]
        assert str(value)[-12:] in shown or re.search(r"_base_|[+\[{]", shown), (key, value, shown)
