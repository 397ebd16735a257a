"""DumpProposals: the proposals of an RPN as a file that Fast R-CNN trains on."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from mmdet_lite.ops.proposal_key import proposal_key
from mmdet_lite.ops.whole_files import write_atomically
from mmdet_lite.registry import METRICS


@METRICS.register_module()
class DumpProposals(BaseMetric):
    """Writes the predictions of all images as proposals; returns no numbers.

    The file is a pickle of one dict: ``folder/file name`` of an image ('val2017/000000000139.jpg')
    to dict(bboxes, scores), float32 arrays (P, 4) in pixels of the original image and (P,), best
    first. CocoDataset reads it as ``proposal_file``, MMDetection as well.

    Args:
        output_dir: folder of the file, made where it is missing.
        proposals_file: name of the file, .pkl or .pickle.
        num_max_proposals: how many proposals of an image at most; None: all.
        backend_args: can only be None, files are written to disk.
        collect_device: 'cpu' or 'gpu', through which the ranks' results are collected.
        prefix: has no effect, as there are no numbers.
        collect_dir: folder in which ranks exchange results on collect_device 'cpu'.

    Raises:
        ValueError: the file's name has another ending, or an argument is not supported.

    Source: arguments and layout are MMDetection 3's, whose values are objects of mmengine.
    """

    default_prefix = "dump_proposals"

    def __init__(
        self,
        output_dir: str = "",
        proposals_file: str = "proposals.pkl",
        num_max_proposals: int | None = None,
        backend_args: dict[str, Any] | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        if not proposals_file.endswith((".pkl", ".pickle")):
            raise ValueError(
                f"DumpProposals: proposals_file must end with .pkl, got {proposals_file!r}"
            )
        if backend_args is not None:
            raise ValueError(f"DumpProposals: backend_args can only be None, got {backend_args}")
        self.proposals_path = Path(output_dir, proposals_file)
        self.num_max_proposals = num_max_proposals

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the boxes and scores of a batch on the CPU."""
        for sample in data_samples:
            pred = sample["pred_instances"]
            best = pred["scores"].argsort(descending=True, stable=True)[: self.num_max_proposals]
            boxes, scores = pred["bboxes"][best], pred["scores"][best]
            proposals = {"bboxes": _as_array(boxes), "scores": _as_array(scores)}
            self.results.append((proposal_key(sample["img_path"]), proposals))

    def compute_metrics(self, results: list[tuple[str, dict[str, Any]]]) -> dict[str, float]:
        """Write the file; called once, with the images of all ranks."""
        proposals = dict(results)
        write_atomically(self.proposals_path, lambda file: pickle.dump(proposals, file))
        MMLogger.get_current_instance().info(
            f"proposals of {len(proposals)} images written to {self.proposals_path}"
        )
        return {}


def _as_array(values: Any) -> np.ndarray[Any, Any]:
    return np.asarray(values.detach().cpu().float().numpy())
