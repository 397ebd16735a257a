"""CityScapesMetric: AP of masks as Cityscapes measures it, and the files its server takes."""

import copy
import importlib
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.fileio import exists, get
from mmengine.logging import MMLogger
from numpy.typing import NDArray
from terminaltables import AsciiTable

from mmdet_lite.evaluation.cityscapes_match import Match, match_masks
from mmdet_lite.evaluation.coco_format import ImageDetections
from mmdet_lite.ops.checks import did_you_mean
from mmdet_lite.ops.cityscapes_labels import LABEL_IDS
from mmdet_lite.ops.rle import RLE, decode_crop
from mmdet_lite.ops.whole_files import write_atomically, write_json
from mmdet_lite.registry import METRICS

IMAGE_ENDING, TRUTH_ENDING = "_leftImg8bit", "_gtFine_instanceIds.png"


@METRICS.register_module()
class CityScapesMetric(BaseMetric):
    """Evaluates masks as the Cityscapes benchmark does.

    Returns ``mAP`` (over IoU 0.50:0.05:0.95), ``AP@50`` and ``{name}_precision`` of every class
    that the pictures show; -1 where there is no object at all. Objects of fewer than 100 pixels,
    groups and void pixels count for nothing, as there.

    Every picture's masks are written to ``{outfile_prefix}.results``: a ``*_pred.txt`` with the
    lines ``mask.png label_id score``, and the masks. The folder is what the benchmark's server
    and scripts take.

    Args:
        outfile_prefix: where the files go.
        seg_prefix: folder of the ``CITY/*_gtFine_instanceIds.png`` of the pictures, gtFine/val.
        format_only: write the files and evaluate nothing (for pictures of the test set).
        collect_device: 'cpu' or 'gpu', through which the ranks' results are collected.
        prefix: of the returned names, 'cityscapes' by default.
        dump_matches: also write which masks overlap which objects, as ``matches.json``.
        file_client_args: refused, it became ``backend_args``.
        backend_args: mmengine's file backend of ``seg_prefix``.
        collect_dir: folder in which ranks exchange results on collect_device 'cpu'.

    Raises:
        ValueError: for a wrong argument, a class that Cityscapes does not have, predictions
            without masks or of another size, or if cityscapesscripts is not installed.
        FileNotFoundError: a picture's instance ids are not in ``seg_prefix``.

    Source: arguments and names are MMDetection 3's, the numbers those of cityscapesscripts, whose
    ``evaluateMatches`` and ``computeAverages`` are called.
    """

    default_prefix = "cityscapes"

    def __init__(
        self,
        outfile_prefix: str,
        seg_prefix: str | None = None,
        format_only: bool = False,
        collect_device: str = "cpu",
        prefix: str | None = None,
        *,
        dump_matches: bool = False,
        file_client_args: dict[str, Any] | None = None,
        backend_args: dict[str, Any] | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        if file_client_args is not None:
            raise ValueError("CityScapesMetric: file_client_args is gone, use backend_args instead")
        if not outfile_prefix:
            raise ValueError(
                "CityScapesMetric writes files: say where with outfile_prefix='work_dirs/results'"
            )
        if not format_only:
            if seg_prefix is None:
                raise ValueError(
                    "CityScapesMetric compares with the pictures of instance ids: give their folder"
                    " as seg_prefix='data/cityscapes/gtFine/val', or write files only with "
                    "format_only=True"
                )
            import_cityscapesscripts()  # now, and not after the first epoch
        self.seg_out_dir = Path(f"{outfile_prefix}.results").absolute()
        self.seg_prefix = seg_prefix
        self.format_only = format_only
        self.dump_matches = dump_matches
        self.backend_args = backend_args

    @property
    def dataset_meta(self) -> dict[str, Any] | None:
        """Class names of the data set; setting them checks that Cityscapes has them."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict[str, Any]) -> None:
        for name in dataset_meta.get("classes", ()):
            if name not in LABEL_IDS:
                raise ValueError(
                    f"CityScapesMetric: Cityscapes has no class {name!r}; "
                    f"{did_you_mean(name, LABEL_IDS)}"
                )
        self._dataset_meta = dataset_meta

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Write the files of a batch and keep the overlaps of its masks with the objects."""
        for sample in data_samples:
            masks, names, scores = self._masks_of(sample)
            stem = Path(sample["img_path"]).stem
            self._write(stem, masks, names, scores)
            match: Match = {}
            if not self.format_only:
                match = match_masks(self._instance_ids(sample["img_path"]), masks, names, scores)
            self.results.append((stem, match))

    def compute_metrics(self, results: list[tuple[str, Match]]) -> dict[str, float]:
        """Average over all pictures and log the table; called with the pictures of all ranks."""
        logger = MMLogger.get_current_instance()
        logger.info(f"masks of {len(results)} images written to {self.seg_out_dir}")
        if self.format_only:
            return {}
        matches = dict(results)
        if self.dump_matches:
            write_json(self.seg_out_dir / "matches.json", matches)
        averages = average_precisions(matches)
        table = _table(averages, self._classes())
        logger.info(f"Cityscapes evaluation of {len(matches)} images:\n{table}")
        numbers = {"mAP": averages["allAp"], "AP@50": averages["allAp50%"]}
        for name in self._classes():
            of_class = float(averages["classes"][name]["ap"])
            if not math.isnan(of_class):
                numbers[f"{name}_precision"] = of_class
        return {key: -1.0 if math.isnan(n) else float(n) for key, n in numbers.items()}

    def result_names(self) -> list[str]:
        """Names of the numbers that an evaluation gives, as ``save_best`` takes them."""
        if self.format_only:
            return []
        names = ["mAP", "AP@50", *(f"{name}_precision" for name in self._classes())]
        return [f"{self.prefix}/{name}" for name in names]

    def _classes(self) -> list[str]:
        if not self._dataset_meta or "classes" not in self._dataset_meta:
            raise ValueError(
                "CityScapesMetric needs dataset_meta=dict(classes=...); the Runner sets it from "
                "the data set, elsewhere set metric.dataset_meta"
            )
        return list(self._dataset_meta["classes"])

    def _masks_of(self, sample: dict[str, Any]) -> tuple[list[RLE], list[str], list[float]]:
        """Masks, class names and scores of an image's detections."""
        image = ImageDetections.from_sample(sample)
        if image.masks is None:
            raise ValueError(
                f"CityScapesMetric needs masks, but the predictions of {sample['img_path']} have "
                "none. A model without a mask head is evaluated with "
                "dict(type='CocoMetric', metric='bbox')"
            )
        classes = self._classes()
        if len(image.labels) and image.labels.max() >= len(classes):
            raise ValueError(
                f"{sample['img_path']} has the predicted label {image.labels.max()}, but the data "
                f"set has {len(classes)} classes"
            )
        scores = image.scores if image.mask_scores is None else image.mask_scores
        return image.masks, [classes[label] for label in image.labels], scores.tolist()

    def _write(
        self, stem: str, masks: Sequence[RLE], names: Sequence[str], scores: Sequence[float]
    ) -> None:
        """Write the masks of an image and the list of them."""
        lines = []
        for i, (mask, name, score) in enumerate(zip(masks, names, scores, strict=True)):
            file = f"{stem}_{i}_{name}.png"
            _write_mask(self.seg_out_dir / file, mask)
            lines.append(f"{file} {LABEL_IDS[name]} {score}\n")
        text = "".join(lines).encode()
        write_atomically(self.seg_out_dir / f"{stem}_pred.txt", lambda f: f.write(text))

    def _instance_ids(self, img_path: str) -> NDArray[Any]:
        """The picture of instance ids that belongs to an image."""
        image = Path(img_path)
        name = image.stem.removesuffix(IMAGE_ENDING) + TRUTH_ENDING
        path = os.path.join(str(self.seg_prefix), image.parent.name, name)
        if not exists(path, backend_args=self.backend_args):
            raise FileNotFoundError(
                f"the instance ids of {img_path} do not exist: {path}. Correct "
                f"CityScapesMetric's seg_prefix, now {self.seg_prefix!r}"
            )
        content = get(path, backend_args=self.backend_args)
        return np.asarray(mmcv.imfrombytes(content, flag="unchanged"))


def average_precisions(matches: dict[str, Match]) -> dict[str, Any]:
    """Return Cityscapes' averages: ``allAp``, ``allAp50%`` and, by class, ``ap`` and ``ap50%``.

    NaN where no picture shows such an object. ``matches`` has what ``match_masks`` returned for
    each picture.
    """
    scripts = import_cityscapesscripts()
    settings = copy.copy(scripts.args)
    scripts.setInstanceLabels(settings)
    settings.distanceAvailable = False
    with np.errstate(all="ignore"):
        precisions = scripts.evaluateMatches(matches, settings)
    if np.isnan(precisions).all():  # its mean would warn
        nothing = dict.fromkeys(("ap", "ap50%"), math.nan)
        return {
            "allAp": math.nan,
            "allAp50%": math.nan,
            "classes": dict.fromkeys(settings.instLabels, nothing),
        }
    averages: dict[str, Any] = scripts.computeAverages(precisions, settings)
    return averages


def import_cityscapesscripts() -> Any:
    """The evaluator of instances of the package cityscapesscripts.

    Raises:
        ValueError: it is not installed.
    """
    try:
        return importlib.import_module(
            "cityscapesscripts.evaluation.evalInstanceLevelSemanticLabeling"
        )
    except ModuleNotFoundError as error:
        raise ValueError(
            "CityScapesMetric needs the package cityscapesscripts, which is not installed: "
            'pip install "mmdet_lite[cityscapes]", or evaluate with CocoMetric alone'
        ) from error


def _write_mask(path: Path, mask: RLE) -> None:
    height, width = (int(side) for side in mask["size"])
    crop, x0, y0 = decode_crop(mask)
    picture = np.zeros((height, width), np.uint8)
    picture[y0 : y0 + crop.shape[0], x0 : x0 + crop.shape[1]] = crop * 255
    _, png = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_BILEVEL, 1])
    write_atomically(path, lambda file: file.write(png.tobytes()))


def _table(averages: dict[str, Any], names: Sequence[str]) -> str:
    def cell(number: float) -> str:
        return "-" if math.isnan(number) else f"{float(number):.3f}"

    rows = [["class", "AP", "AP50"]]
    for name in names:
        numbers = averages["classes"][name]
        rows.append([name, cell(numbers["ap"]), cell(numbers["ap50%"])])
    rows.append(["mean", cell(averages["allAp"]), cell(averages["allAp50%"])])
    table = AsciiTable(rows)
    table.justify_columns = {1: "right", 2: "right"}
    table.inner_footing_row_border = True
    text: str = table.table
    return text
