"""One table of all configs, made from the files themselves: docs/configs.md."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdet_lite.cli.front_door import CommandParser, run_command, say

if TYPE_CHECKING:
    from mmdet_lite.structures import ImageBatch

IMAGE_HW = (800, 1280)
REGIONS = 1000  # proposals that the second stage sees, as test_cfg.rpn.max_per_img has it
HEAD = """# The configs

One row for each file below `configs/`, made from the files by

```bash
python tools/analysis_tools/config_table.py
```

**Parameters** are all of the model. **GFLOPs** are multiply-adds of one picture of 1280 x 800
(SSD: of the one size it takes), in convolutions and linear layers, with 1000 regions through the
box head and 100 through the mask or keypoint head. MMDetection counts the same way.

**AP** is on COCO val2017 in percent (VOC: AP50 on test2007), **published** by the program in the
last column but one for its model of this configuration; RPN: AR at 1000 proposals. `-`: not
published there, or not applicable. *Ours* is what this program measured for the file.
"""
COLUMNS = (
    "config | backbone | schedule | parameters (M) | GFLOPs | box AP | mask AP | keypoint AP | AR |"
    " published by | ours"
)


@dataclass(frozen=True)
class Row:
    """What the table says of a config; ``ap`` by kind (box, mask, keypoint, AR@1000)."""

    path: str
    backbone: str
    schedule: str
    parameters: int
    multiply_adds: int
    ap: Mapping[str, float]
    source: str


def main(argv: Sequence[str] | None = None) -> int:
    """Write the table; 0 on success, 2 for an error that the user can mend."""
    args = parse_args(argv)
    return run_command("config_table", lambda: _write(args))


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's arguments."""
    parser = CommandParser(prog="config_table", description=__doc__)
    parser.add_argument("--configs", type=Path, default=Path("configs"), help="folder of configs")
    parser.add_argument("--out", type=Path, default=Path("docs/configs.md"), help="Markdown file")
    return parser.parse_args(argv)  # type: ignore[no-any-return]


def leaves(configs: Path) -> list[Path]:
    """All configs of a folder that are not bases of others, in the table's order.

    Raises:
        FileNotFoundError: there are none.
    """
    found = sorted(path for path in configs.rglob("*.py") if "_base_" not in path.parts)
    if not found:
        raise FileNotFoundError(f"no config files below {configs}; name their folder: --configs")
    return found


def describe(path: Path, configs: Path) -> Row:
    """Read and measure one config."""
    from mmdet_lite.config import load_config

    cfg = load_config(path, check=False)
    published, source = published_ap(path.relative_to(configs).as_posix(), configs)
    parameters, multiply_adds = model_cost(cfg)
    name = f"configs/{path.relative_to(configs).as_posix()}"
    return Row(
        name, backbone_text(cfg.model), schedule_text(cfg), parameters, multiply_adds,
        published, source,
    )  # fmt: skip


def published_ap(config: str, configs: Path) -> tuple[Mapping[str, float], str]:
    """What others published for a config: AP by kind, and which program did.

    Read from the model zoo, and from ``published.json`` in the folder of configs for models
    without weights there.
    """
    from mmdet_lite.checkpoint.zoo import zoo_models

    for model in zoo_models().values():
        if model.config == config and model.ap:
            return model.ap, model.source
    listed = configs / "published.json"
    for row in json.loads(listed.read_text(encoding="utf-8"))["results"] if listed.exists() else ():
        if row["config"] == config:
            return row["ap"], row["source"]
    return {}, "-"


def backbone_text(model: Mapping[str, Any]) -> str:
    """Backbone in words: ``ResNeXt-101 32x4d, FPN``."""
    backbone = model["backbone"]
    kind, depth = backbone["type"], backbone.get("depth")
    text = {"SSDVGG": "VGG"}.get(kind, kind) + (f"-{depth}" if depth else "")
    if "model_name" in backbone or "name" in backbone:
        text = str(backbone.get("model_name", backbone.get("name")))
    if backbone.get("groups", 1) > 1:
        text += f" {backbone['groups']}x{backbone['base_width']}d"
    parts = [text]
    if backbone.get("style") == "caffe":
        parts.append("Caffe style")
    norm = "GN" if (backbone.get("norm_cfg") or {}).get("type") == "GN" else ""
    if norm and (backbone.get("conv_cfg") or {}).get("type") == "ConvWS":
        norm += "+WS"
    without_neck = "C4" if backbone.get("num_stages") == 3 else "DC5"
    neck = model.get("neck")
    parts += [norm] if norm else []
    parts.append(neck["type"].removesuffix("Neck") if neck else without_neck)
    return ", ".join(parts)


def schedule_text(cfg: Mapping[str, Any]) -> str:
    """How long it trains: rounds over the set, repetitions counted, or iterations."""
    loop = cfg["train_cfg"]
    if "max_iters" in loop:
        return f"{loop['max_iters']:,} iterations"
    dataset, times = cfg["train_dataloader"]["dataset"], 1
    while "times" in dataset:
        times *= dataset["times"]
        dataset = dataset["dataset"]
    return f"{loop['max_epochs'] * times} epochs"


def model_cost(cfg: Mapping[str, Any]) -> tuple[int, int]:
    """Parameters and multiply-adds of a config's model; the same model is measured once."""
    model = {**cfg["model"].to_dict(), "test_cfg": _all_regions(cfg["model"]["test_cfg"])}
    model["backbone"] = {**model["backbone"], "init_cfg": None}
    for idle in ("train_cfg", "data_preprocessor"):  # decide nothing here, and differ often
        model.pop(idle, None)
    return _measured(json.dumps(model, sort_keys=True), _input_hw(cfg))


@cache
def _measured(model_text: str, size_hw: tuple[int, int]) -> tuple[int, int]:
    import torch
    from mmengine.registry import init_default_scope
    from torch.utils.flop_counter import FlopCounterMode

    from mmdet_lite.registry import MODELS, SCOPE

    init_default_scope(SCOPE)
    torch.manual_seed(0)
    model = MODELS.build(json.loads(model_text)).eval()
    # RoIAlign is a sparse matrix product on a CPU: its zeros are no work, and it is no layer
    counter = FlopCounterMode(display=False, custom_mapping={torch.ops.aten.mm: _no_work})
    with torch.inference_mode(), counter:
        features = model.extract_features(torch.zeros(1, 3, *size_hw))
        model.predict_detections(features, _one_picture(size_hw))
    return sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2


def _no_work(*shapes: Any, **kwargs: Any) -> int:
    """FLOPs of an operator that is not counted."""
    return 0


def _all_regions(test_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """A ``test_cfg`` that drops no box for its score or overlap, so that counts are exact."""
    kept: dict[str, Any] = test_cfg.to_dict() if hasattr(test_cfg, "to_dict") else dict(test_cfg)
    if "rpn" in kept:
        kept["rpn"] = {**kept["rpn"], "nms": {"type": "nms", "iou_threshold": 1.0}}
    if "rcnn" in kept:
        kept["rcnn"] = {**kept["rcnn"], "score_thr": 0.0}
    return kept


def _input_hw(cfg: Mapping[str, Any]) -> tuple[int, int]:
    """1280 x 800, or the one size that a network without ``keep_ratio`` takes."""
    dataset = cfg["test_dataloader"]["dataset"]
    for step in dataset.get("pipeline", ()):
        if step["type"] == "Resize" and not step.get("keep_ratio", False):
            width, height = step["scale"]
            return height, width
    return IMAGE_HW


def _one_picture(size_hw: tuple[int, int]) -> "ImageBatch":
    """A picture's sizes, and proposals for a detector that takes them from a file."""
    import torch

    from mmdet_lite.structures import ImageBatch, Proposals

    height, width = size_hw
    corners = torch.rand(1, REGIONS, 2, 2) * torch.tensor([width, height])
    boxes = torch.cat([corners.amin(2), corners.amax(2)], dim=2)
    scores = torch.ones(1, REGIONS)
    proposals = Proposals(boxes, scores, scores.bool())
    sizes = torch.tensor([size_hw], dtype=torch.float32)
    return ImageBatch([size_hw], [size_hw], size_hw, sizes, proposals)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of the Markdown table."""
    yield f"| {COLUMNS} |"
    yield "|---|---|---|" + "--:|" * 6 + "---|---|"
    for row in rows:
        cells = [f"`{row.path}`", row.backbone, row.schedule]
        cells += [f"{row.parameters / 1e6:.1f}", f"{row.multiply_adds / 1e9:.0f}"]
        cells.append(_ap(row, "box") if "box" in row.ap else _ap(row, "box AP50"))
        cells += [_ap(row, kind) for kind in ("mask", "keypoint", "AR@1000")]
        yield f"| {' | '.join([*cells, row.source, 'not measured'])} |"


def _ap(row: Row, kind: str) -> str:
    return f"{row.ap[kind]:.1f}" if kind in row.ap else "-"


def _write(args: argparse.Namespace) -> int:
    rows = []
    for path in leaves(args.configs):
        say(f"config_table: {path}")
        rows.append(describe(path, args.configs))
    lines = [HEAD, *table(rows)]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(args.out)
    return 0
