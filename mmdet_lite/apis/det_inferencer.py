"""DetInferencer: pictures in, results as plain numbers, drawings and files out."""

import sys
from collections.abc import Sequence
from pathlib import Path
from pprint import pprint
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.utils import ProgressBar
from numpy.typing import NDArray

from mmdet_lite.apis.detector import detect_each, init_detector
from mmdet_lite.apis.pictures import Picture, draw_detections, drawn_names, find_pictures
from mmdet_lite.ops.whole_files import write_json
from mmdet_lite.registry import INFERENCERS
from mmdet_lite.structures import DetDataSample
from mmdet_lite.visualization import DetLocalVisualizer

Inputs = Picture | Sequence[Picture]
LISTED = ("bboxes", "labels", "scores", "keypoints", "keypoint_scores")


@INFERENCERS.register_module()
class DetInferencer:
    """A detector that is asked about pictures; MMDetection 3's arguments.

    Args:
        model: a config file, a Config, or a name of the model zoo (see ``init_detector``, which
            reads all of these).
        weights: a checkpoint; without one a zoo model takes its published weights and another
            its random ones.
        device: cpu, cuda, cuda:1, ...; default: the GPU where there is one.
        scope: 'mmdet' or 'mmdet_lite', which are the same here.
        palette: colours of the classes, see ``init_detector``.
        show_progress: count the pictures on standard error.

    Raises:
        FileNotFoundError: config or checkpoint does not exist.
        ValueError: ``model`` is missing, or ``scope`` is another program's.
    """

    def __init__(
        self,
        model: str | Path | Config | None = None,
        weights: str | Path | None = None,
        device: str | torch.device | None = None,
        scope: str | None = "mmdet",
        palette: Sequence[tuple[int, int, int]] | str = "none",
        show_progress: bool = True,
    ) -> None:
        if model is None:
            raise ValueError(
                "DetInferencer: model is missing; give the config file that belongs to the "
                "weights (a config that is stored inside a checkpoint would have to be executed)"
            )
        if scope not in (None, "mmdet", "mmdet_lite"):
            raise ValueError(
                f"DetInferencer: scope must be 'mmdet' or 'mmdet_lite', got {scope!r}; components "
                "of other programs are not looked up"
            )
        self.model = init_detector(model, weights, palette, device)
        self.show_progress = show_progress
        self.visualizer = DetLocalVisualizer()
        self.visualizer.dataset_meta = self.model.dataset_meta

    def __call__(
        self,
        inputs: Inputs,
        batch_size: int = 1,
        return_vis: bool = False,
        show: bool = False,
        wait_time: float = 0,
        no_save_vis: bool = False,
        draw_pred: bool = True,
        pred_score_thr: float = 0.3,
        return_datasamples: bool = False,
        print_result: bool = False,
        no_save_pred: bool = True,
        out_dir: str | Path = "",
    ) -> dict[str, Any]:
        """Detect in pictures.

        Args:
            inputs: a file, a folder, an array (H, W, 3) uint8 BGR, or a list of these.
            batch_size: pictures that go through the network at once.
            return_vis: return the drawings.
            show: show each drawing in a window for ``wait_time`` seconds (0: until a key).
            wait_time: see ``show``.
            no_save_vis: write no drawings into ``out_dir``/vis.
            draw_pred: draw the detections; False leaves the picture as it is.
            pred_score_thr: lowest score that is drawn. Results hold all detections.
            return_datasamples: results as DetDataSample instead of plain numbers.
            print_result: print the results.
            no_save_pred: write no results into ``out_dir``/preds.
            out_dir: where drawings and results (json) go; '' writes nothing. Each file is complete
                before the next picture is looked at.

        Returns:
            ``predictions``: one dict a picture (bboxes, labels, scores, and as the model has heads
            masks as RLE, keypoints, keypoint_scores), or data samples. ``visualization``: one RGB
            array a picture with ``return_vis``, else [].

        Raises:
            FileNotFoundError, ValueError: a picture is missing or damaged, with its path. What was
                found in those before it is on disk then.
        """
        if batch_size < 1 or not 0 <= pred_score_thr <= 1:
            raise ValueError(
                "DetInferencer: batch_size must be at least 1 and pred_score_thr between 0 and 1, "
                f"got {batch_size} and {pred_score_thr}"
            )
        if return_datasamples and not no_save_pred:
            raise ValueError("DetInferencer: data samples are not written; leave no_save_pred=True")
        pictures = list_pictures(inputs)
        vis_dir = None if no_save_vis or not out_dir else Path(out_dir) / "vis"
        pred_dir = None if no_save_pred or not out_dir else Path(out_dir) / "preds"
        drawing = {"show": show, "wait_time": wait_time, "draw_pred": draw_pred}
        drawing["pred_score_thr"] = pred_score_thr
        results: dict[str, Any] = {"predictions": [], "visualization": []}
        names = _names(pictures)
        bar = ProgressBar(len(pictures), file=sys.stderr) if self.show_progress else None
        found = detect_each(self.model, pictures, batch_size)
        for picture, sample, name in zip(pictures, found, names, strict=True):
            if isinstance(sample, Exception):
                raise type(sample)(f"{name}: {sample}{_kept(vis_dir, pred_dir)}") from sample
            if show or return_vis or vis_dir:
                out_file = vis_dir / f"{name}.jpg" if vis_dir else None
                drawn = draw_detections(self.visualizer, picture, sample, name, out_file, **drawing)
                results["visualization"] += [drawn] if return_vis else []
            prediction = sample if return_datasamples else plain_result(sample)
            results["predictions"].append(prediction)
            if pred_dir:
                write_json(pred_dir / f"{name}.json", prediction)
            if bar:
                bar.update()
        if print_result:
            pprint(results["predictions"])
        return results


def list_pictures(inputs: Inputs) -> list[Path | NDArray[np.uint8]]:
    """The pictures that ``inputs`` mean; folders become their pictures by name.

    Raises:
        FileNotFoundError: a path does not exist.
        ValueError: a folder is empty, or an address of the web is given.
        TypeError: something else.
    """
    if isinstance(inputs, np.ndarray):
        return [inputs]
    if isinstance(inputs, str | Path):
        if "://" in str(inputs):
            raise ValueError(f"DetInferencer reads no web addresses; download {inputs} first")
        return list(find_pictures(Path(inputs)))
    if not isinstance(inputs, Sequence):
        raise TypeError(
            "DetInferencer: inputs must be a path, an array (H, W, 3) BGR or a list of these, got "
            f"a {type(inputs).__name__}"
        )
    return [picture for one in inputs for picture in list_pictures(one)]


def plain_result(sample: DetDataSample) -> dict[str, Any]:
    """A sample's detections as lists of numbers, ready for json; RLE counts as text."""
    found = sample.pred_instances
    result = {key: found[key].tolist() for key in LISTED if key in found}
    if "masks" in found:
        result["masks"] = [
            {"size": list(rle["size"]), "counts": rle["counts"].decode()} for rle in found.masks
        ]
    return result


def _names(pictures: Sequence[Path | NDArray[np.uint8]]) -> list[str]:
    """What each picture's files are called, without ending; arrays are numbered."""
    paths = [
        Path(f"{i:08}.jpg") if isinstance(picture, np.ndarray) else picture
        for i, picture in enumerate(pictures)
    ]
    return [name.removesuffix(".jpg") for name in drawn_names(paths, "jpg")]


def _kept(*folders: Path | None) -> str:
    """Where the results of the pictures before a bad one are."""
    places = " and ".join(str(folder) for folder in folders if folder)
    return f" (results of the pictures before it: {places})" if places else ""
