"""``mmdet-lite infer IMAGE_OR_FOLDER CONFIG CKPT``: pictures of what the detector sees."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdet_lite.cli.front_door import (
    CommandParser,
    metric_setting,
    parse_overrides,
    run_command,
    say,
)

if TYPE_CHECKING:
    from mmdet_lite.evaluation import ImageDetections

RESULTS_FILE = "predictions.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Detect as the arguments say; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("infer", lambda: infer(args))


def parse_args(argv: Sequence[str] | None) -> Namespace:
    """The flags."""
    parser = CommandParser("mmdet-lite infer", description="Detect in pictures and draw them.")
    parser.add_argument("images", help="a picture, or a folder of pictures")
    parser.add_argument("config", help="config file, or a name of the model zoo")
    parser.add_argument("checkpoint", help="checkpoint file, address or name")
    parser.add_argument("--out-dir", default="infer_outputs", help="where pictures and json go")
    parser.add_argument("--thresh", type=float, default=0.3, help="lowest score that is drawn")
    parser.add_argument("--ext", choices=("png", "jpg", "pdf"), default="jpg")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...; default: the GPU if there is one")
    parser.add_argument("--cfg-options", nargs="+", action="extend", metavar="KEY=VALUE")
    args = parser.parse_args(argv)
    if not 0 <= args.thresh <= 1:
        parser.error(f"--thresh {args.thresh}: a score lies between 0 and 1")
    return args


def infer(args: Namespace) -> int:
    """Detect in every picture; a picture that cannot be read is named at the end, status 1."""
    # imported late, so that --help is quick
    from mmdet_lite.apis import drawn_names, find_pictures, init_detector
    from mmdet_lite.ops.whole_files import write_json
    from mmdet_lite.visualization import spare_pictures

    pictures = find_pictures(Path(args.images))
    out_dir = Path(args.out_dir)
    names = drawn_names(pictures, args.ext)
    targets = [out_dir / name for name in names]
    spare_pictures(pictures, targets)
    overrides = parse_overrides(args.cfg_options)
    model = init_detector(args.config, args.checkpoint, device=args.device, cfg_options=overrides)
    images, detections, unreadable = _draw_each(model, pictures, targets, args.thresh)
    annotations, categories = _coco_rows(model, detections)
    coco = {"images": images, "annotations": annotations, "categories": categories}
    write_json(out_dir / RESULTS_FILE, coco)
    say(f"\n{len(images)} pictures: {out_dir}")
    say(f"{len(annotations)} detections in COCO form: {out_dir / RESULTS_FILE}")
    for line in unreadable:
        say(f"not read: {line}")
    return 1 if unreadable else 0


def _draw_each(
    model: Any, pictures: Sequence[Path], targets: Sequence[Path], threshold: float
) -> tuple[list[dict[str, Any]], list["ImageDetections"], list[str]]:
    """Draw what is in each picture; COCO's images, detections, and what could not be read."""
    from mmengine.utils import track_iter_progress

    from mmdet_lite.apis import detect_each, draw_detections
    from mmdet_lite.evaluation import ImageDetections
    from mmdet_lite.visualization import DetLocalVisualizer

    visualizer = DetLocalVisualizer()
    visualizer.dataset_meta = model.dataset_meta
    images: list[dict[str, Any]] = []
    detections, unreadable = [], []
    seen = zip(pictures, targets, detect_each(model, pictures), strict=True)
    for picture, target, sample in track_iter_progress((seen, len(pictures)), file=sys.stderr):
        if isinstance(sample, Exception):
            unreadable.append(f"{picture}: {sample}")
            continue
        draw_detections(visualizer, picture, sample, picture.name, target, pred_score_thr=threshold)
        height, width = sample.ori_shape[:2]
        images.append(
            {"id": len(images), "file_name": picture.name, "height": height, "width": width}
        )
        sample.set_metainfo({"img_id": images[-1]["id"]})
        detections.append(ImageDetections.from_sample(sample.to_dict()))
    return images, detections, unreadable


def _coco_rows(
    model: Any, detections: list["ImageDetections"]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """COCO's annotations and categories."""
    from mmdet_lite.evaluation import detections_to_coco

    categories = [
        {"id": i, "name": name, **skeleton_of(model.dataset_meta)}
        for i, name in enumerate(model.dataset_meta["classes"])
    ]
    has_masks = bool(detections) and all(d.masks is not None for d in detections)
    has_joints = bool(detections) and all(d.keypoints is not None for d in detections)
    # COCO's joints count pixels, the model's are continuous
    offset = metric_setting(model.cfg.get("test_evaluator"), "keypoint_offset", 0)
    ids = [category["id"] for category in categories]
    found = detections_to_coco(detections, ids, has_masks, has_joints, offset)
    return [{"id": i + 1, "iscrowd": 0, **row} for i, row in enumerate(found)], categories


def skeleton_of(metainfo: dict[str, Any]) -> dict[str, Any]:
    """Names of the joints and lines between them as a COCO category holds them."""
    if "keypoint_names" not in metainfo:
        return {}
    links = [[first + 1, second + 1] for first, second in metainfo.get("skeleton_links", ())]
    return {"keypoints": list(metainfo["keypoint_names"]), "skeleton": links}


if __name__ == "__main__":
    sys.exit(main())
