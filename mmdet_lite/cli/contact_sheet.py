"""Draw ground truth beside predictions of some test images into one picture."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdet_lite.cli.front_door import parse_overrides, run_command

if TYPE_CHECKING:
    from mmdet_lite.visualization import AnnotatedPicture
    from mmdet_lite.visualization.labels import Picture


def main(argv: Sequence[str] | None = None) -> int:
    """Write the sheet and print its path; 0 on success."""
    args = _parser().parse_args(argv)
    return run_command("contact_sheet", lambda: draw_sheet(args))


def draw_sheet(args: argparse.Namespace) -> int:
    """Draw what the arguments say."""
    # imported late, so that --help is quick
    from mmdet_lite.config import load_config
    from mmdet_lite.evaluation import load_results
    from mmdet_lite.visualization import arrange, write_image

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
    from mmdet_lite.visualization import evenly

    result_of = {result["img_id"]: result for result in results}
    entries = [dataset.get_data_info(n) for n in range(len(dataset))]
    entries = [entry for entry in entries if entry["img_id"] in result_of]
    if not entries:
        raise ValueError(
            f"no image of {source} is in the config's test data set of {len(dataset)} images; "
            "give the config that made the results"
        )
    picked = [entries[n] for n in evenly(len(entries), num)]
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
    from mmdet_lite.ops.image_file import read_rgb
    from mmdet_lite.visualization import annotated_entry, side_by_side
    from mmdet_lite.visualization.sheets import FONT_SIZE

    image = read_rgb(entry["img_path"], (entry["height"], entry["width"]))
    truth = [item for item in entry["instances"] if not item["ignore_flag"]]
    annotated = annotated_entry(image, {"instances": truth})
    predicted = _predicted(image, result["pred_instances"], thresh)
    name = Path(entry["img_path"]).name
    captions = [
        f"{name}: {_count(len(truth), 'object')}",
        _count(len(predicted.boxes), "detection"),
    ]
    cells = [_draw_small(one, metainfo) for one in (annotated, predicted)]
    return side_by_side(cells, captions, FONT_SIZE)


def _predicted(image: "Picture", pred: Any, thresh: float) -> "AnnotatedPicture":
    """Predictions (bboxes, labels, scores, masks, keypoints) of at least this score."""
    from mmdet_lite.structures import BitmapMasks
    from mmdet_lite.visualization import AnnotatedPicture, visible_joints

    kept = [n for n, score in enumerate(pred["scores"].tolist()) if score >= thresh]
    masks = joints = None
    if "masks" in pred:
        masks = BitmapMasks.from_rle([pred["masks"][n] for n in kept], *image.shape[:2])
    if "keypoints" in pred:
        joints = visible_joints(pred["keypoints"][kept], pred["keypoint_scores"][kept])
    return AnnotatedPicture(
        image,
        pred["bboxes"].numpy()[kept],
        pred["labels"].numpy()[kept],
        masks=masks,
        joints=joints,
        scores=pred["scores"].numpy()[kept],
    )


def _draw_small(annotated: "AnnotatedPicture", metainfo: dict[str, Any]) -> "Picture":
    """Scale picture and instances into the cell first, so that letters stay sharp."""
    from mmdet_lite.visualization import draw_annotated
    from mmdet_lite.visualization.sheets import CELL_HEIGHT, CELL_WIDTH

    return draw_annotated(annotated.scaled_into(CELL_WIDTH, CELL_HEIGHT), metainfo, font_size=10)


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
