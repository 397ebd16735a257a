"""Draw ground truth beside predictions of some test images into one picture."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdet_lite.cli.front_door import parse_overrides, run_command

if TYPE_CHECKING:
    from mmdet_lite.visualization.labels import Picture

CELL_WIDTH, CELL_HEIGHT = 380, 285
MARGIN = 8
FONT_SIZE = 12
PAPER = (250, 250, 248)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the sheet and print its path; 0 on success."""
    args = _parser().parse_args(argv)
    return run_command("contact_sheet", lambda: draw_sheet(args))


def draw_sheet(args: argparse.Namespace) -> int:
    """Draw what the arguments say."""
    # imported late, so that --help is quick
    from mmdet_lite.config import load_config
    from mmdet_lite.evaluation import load_results
    from mmdet_lite.visualization import write_image

    results = load_results(args.results)
    cfg = load_config(args.config, parse_overrides(args.cfg_options))
    dataset = test_dataset(cfg)
    chosen = pair_results(dataset, results, args.num, args.results)
    cells = [draw_pair(entry, result, dataset.metainfo, args.thresh) for entry, result in chosen]
    title = f"{args.config.stem}: ground truth | prediction (score >= {args.thresh:g})"
    out = args.out or args.results.parent / "contact_sheet.png"
    write_image(out, arrange(cells, title))
    print(out)
    return 0


def test_dataset(cfg: Any) -> Any:
    """Return the data set of the config's test (or validation) dataloader, without its pipeline.

    Raises:
        ValueError: if the config has neither.
    """
    from mmengine.registry import init_default_scope

    from mmdet_lite.registry import DATASETS

    loader = cfg.get("test_dataloader") or cfg.get("val_dataloader")
    if not loader:
        raise ValueError("the config has no test_dataloader and no val_dataloader")
    init_default_scope("mmdet_lite")
    return DATASETS.build({**loader["dataset"], "pipeline": []})


def pair_results(
    dataset: Any, results: Sequence[dict[str, Any]], num: int, source: Path
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return ``num`` evenly chosen images of the data set, each with its result.

    Raises:
        ValueError: if no result is of an image of the data set, or num is below 1.
    """
    if num < 1:
        raise ValueError(f"--num must be at least 1, got {num}")
    result_of = {result["img_id"]: result for result in results}
    entries = [dataset.get_data_info(n) for n in range(len(dataset))]
    entries = [entry for entry in entries if entry["img_id"] in result_of]
    if not entries:
        raise ValueError(
            f"no image of {source} is in the config's test data set of {len(dataset)} images; "
            "give the config that made the results"
        )
    last = len(entries) - 1
    count = min(num, len(entries))
    picked = [entries[round(n * last / max(count - 1, 1))] for n in range(count)]
    return [(entry, result_of[entry["img_id"]]) for entry in picked]


def draw_pair(
    entry: dict[str, Any], result: dict[str, Any], metainfo: dict[str, Any], thresh: float
) -> "Picture":
    """Return annotations beside predictions of one image, each below its caption.

    Args:
        entry: of the data set: img_path, instances.
        result: of the results file: pred_instances.
        metainfo: classes, palette, and names and lines of joints.
        thresh: lowest score that is drawn.
    """
    import mmcv
    import numpy as np

    from mmdet_lite.ops.rle import segmentation_to_rle
    from mmdet_lite.visualization import side_by_side, visible_joints

    image = mmcv.imread(entry["img_path"], channel_order="rgb")
    height, width = image.shape[:2]
    truth = [item for item in entry["instances"] if not item["ignore_flag"]]
    pred = result["pred_instances"]
    kept = [n for n, score in enumerate(pred["scores"].tolist()) if score >= thresh]
    masks = [segmentation_to_rle(t["mask"], height, width) for t in truth if t.get("mask")]
    annotated = _draw_scaled(
        image,
        np.array([item["bbox"] for item in truth], float).reshape(-1, 4),
        [item["bbox_label"] for item in truth],
        None,
        masks if len(masks) == len(truth) else None,
        _annotated_joints(truth),
        metainfo,
    )
    predicted = _draw_scaled(
        image,
        pred["bboxes"].numpy()[kept],
        pred["labels"].numpy()[kept],
        pred["scores"].numpy()[kept],
        [pred["masks"][n] for n in kept] if "masks" in pred else None,
        visible_joints(pred["keypoints"][kept], pred["keypoint_scores"][kept])
        if "keypoints" in pred
        else None,
        metainfo,
    )
    name = Path(entry["img_path"]).name
    captions = [f"{name}: {_count(len(truth), 'object')}", _count(len(kept), "detection")]
    return side_by_side([annotated, predicted], captions, FONT_SIZE)


def _annotated_joints(truth: Sequence[dict[str, Any]]) -> Any:
    """Joints (G, J, 3) of annotations; None if one has none."""
    import numpy as np

    if not truth or not all(item.get("keypoints") for item in truth):
        return None
    return np.array([item["keypoints"] for item in truth], float).reshape(len(truth), -1, 3)


def _draw_scaled(
    image: "Picture",
    boxes: Any,
    labels: Any,
    scores: Any,
    rles: Sequence[dict[str, Any]] | None,
    joints: Any,
    metainfo: dict[str, Any],
) -> "Picture":
    """Scale picture and instances into the cell first, so that letters stay sharp."""
    import cv2

    from mmdet_lite.structures import BitmapMasks
    from mmdet_lite.visualization import draw_instances, draw_keypoints

    height, width = image.shape[:2]
    scale = min(CELL_WIDTH / width, CELL_HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    masks = None
    if rles is not None:
        masks = BitmapMasks.from_segmentations(rles, height, width).resize((size[1], size[0]))
    drawn = draw_instances(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC),
        boxes * [size[0] / width, size[1] / height, size[0] / width, size[1] / height],
        labels,
        scores,
        masks,
        metainfo.get("classes"),
        metainfo.get("palette"),
        font_size=10,
    )
    if joints is None:
        return drawn
    return draw_keypoints(drawn, joints * [size[0] / width, size[1] / height, 1], metainfo)


def arrange(cells: Sequence["Picture"], title: str) -> "Picture":
    """Return the cells in rows on paper below the title; the sheet is about as wide as high."""
    import numpy as np

    from mmdet_lite.visualization import titled

    columns = max(1, min(len(cells), round((len(cells) / 2) ** 0.5 * 1.2)))
    width = max(cell.shape[1] for cell in cells)
    rows = []
    for start in range(0, len(cells), columns):
        row = list(cells[start : start + columns])
        height = max(cell.shape[0] for cell in row)
        sheet = np.full((height + MARGIN, columns * (width + MARGIN) + MARGIN, 3), PAPER, np.uint8)
        for n, cell in enumerate(row):
            left = MARGIN + n * (width + MARGIN) + (width - cell.shape[1]) // 2
            sheet[: cell.shape[0], left : left + cell.shape[1]] = cell
        rows.append(sheet)
    rows.insert(0, np.full((MARGIN, rows[0].shape[1], 3), PAPER, np.uint8))
    return titled(np.concatenate(rows), title, FONT_SIZE + 3)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = argparse.ArgumentParser(
        prog="contact_sheet",
        description="Draw ground truth beside predictions of some test images into one picture.",
    )
    parser.add_argument("config", type=Path, help="config whose test data set was predicted")
    parser.add_argument("results", type=Path, help="the .pkl that tools/test.py --out wrote")
    parser.add_argument("--out", type=Path, help="picture (default: contact_sheet.png beside it)")
    parser.add_argument("--num", type=int, default=12, help="how many images (default: 12)")
    parser.add_argument(
        "--thresh", type=float, default=0.5, help="lowest score that is drawn (default: 0.5)"
    )
    parser.add_argument(
        "--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="change config entries"
    )
    return parser
