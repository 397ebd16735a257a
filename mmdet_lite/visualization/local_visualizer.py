"""DetLocalVisualizer: pictures of annotations and predictions, to files, screen and backends."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dist import is_main_process
from mmengine.structures import InstanceData
from mmengine.visualization import Visualizer

from mmdet_lite.registry import VISUALIZERS
from mmdet_lite.structures.det_data_sample import DetDataSample
from mmdet_lite.visualization.colors import Color, instance_colors
from mmdet_lite.visualization.drawing import draw_instances, side_by_side, write_image
from mmdet_lite.visualization.keypoint_drawing import SCORE_THR, draw_keypoints, visible_joints
from mmdet_lite.visualization.labels import Picture

ColorArgument = Color | Sequence[Color] | str | None
GROUND_TRUTH, PREDICTION = "ground truth", "prediction"


@VISUALIZERS.register_module()
class DetLocalVisualizer(Visualizer):
    """Draws data samples with the classes and colours of ``dataset_meta``.

    Args:
        name: of the instance that ``get_instance`` returns.
        image: a first picture, RGB.
        vis_backends: mmengine's, they receive what is drawn.
        save_dir: of the backends.
        bbox_color: RGB of all boxes, one RGB a class, 'random' for generated ones, or None for the
            data set's palette.
        text_color: RGB of the names; None takes black or white, what is read better.
        mask_color: as ``bbox_color``; None takes the boxes' colours.
        line_width: of boxes in pixels; None scales with the picture.
        alpha: opacity of masks, 0..1.
        kpt_thr: predicted joints below this score are not drawn.

    Attributes:
        dataset_meta: dict with ``classes``, ``palette`` and, of joints, ``keypoint_names`` and
            ``skeleton_links``; without it classes are numbered.

    Raises:
        ValueError: for a colour that is none, or an alpha outside 0..1.

    Source: arguments and methods are MMDetection 3's.
    """

    def __init__(
        self,
        name: str = "visualizer",
        image: Picture | None = None,
        vis_backends: Any = None,
        save_dir: str | None = None,
        *,
        bbox_color: ColorArgument = None,
        text_color: Color | None = None,
        mask_color: ColorArgument = None,
        line_width: float | None = None,
        alpha: float = 0.4,
        kpt_thr: float = SCORE_THR,
    ) -> None:
        super().__init__(name=name, image=image, vis_backends=vis_backends, save_dir=save_dir)
        if not 0 <= alpha <= 1:
            raise ValueError(f"DetLocalVisualizer: alpha must be in 0..1, got {alpha}")
        for argument, color in (("bbox_color", bbox_color), ("mask_color", mask_color)):
            if isinstance(color, str) and color != "random":
                raise ValueError(
                    f"DetLocalVisualizer: {argument} is (r, g, b), one such a class, 'random' or "
                    f"None for the data set's palette; got {color!r}"
                )
        if text_color is not None and (isinstance(text_color, str) or len(text_color) != 3):
            raise ValueError(f"DetLocalVisualizer: text_color is (r, g, b), got {text_color!r}")
        self.bbox_color = bbox_color
        self.text_color = None if text_color is None else _as_color(text_color)
        self.mask_color = mask_color
        self.line_width = line_width
        self.alpha = alpha
        self.kpt_thr = kpt_thr

    # mmengine's property is empty on all ranks but the first, where pictures of a distributed
    # test would then lack their names
    @property
    def dataset_meta(self) -> dict[str, Any] | None:
        """Classes and palette of the data set."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict[str, Any]) -> None:
        self._dataset_meta = dataset_meta

    def add_datasample(
        self,
        name: str,
        image: Picture,
        data_sample: DetDataSample | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        *,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        pred_score_thr: float = 0.3,
        step: int = 0,
    ) -> None:
        """Draw a sample and show it, write it, or else pass it to the backends.

        With annotations and predictions both are drawn, side by side. Every rank writes its own
        ``out_file``; window and backends are the main process's.

        Args:
            name: title of the window and of the image in the backends.
            image: (H, W, 3) RGB in original pixels; unchanged.
            data_sample: ``gt_instances`` and ``pred_instances`` in pixels of ``image``.
            draw_gt: draw annotations if there are any.
            draw_pred: draw predictions if there are any.
            show: open a window.
            wait_time: seconds that the window waits; 0 waits for a key.
            out_file: where to write the picture; the ending chooses the format.
            pred_score_thr: predictions below this score are left out.
            step: the backends' step.
        """
        drawn = self.draw_datasample(image, data_sample, draw_gt, draw_pred, pred_score_thr)
        self.set_image(drawn)  # get_image() then returns it
        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        if out_file is not None:
            write_image(out_file, drawn)
        elif is_main_process():
            self.add_image(name, drawn, step)

    def draw_datasample(
        self,
        image: Picture,
        data_sample: DetDataSample | None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        pred_score_thr: float = 0.3,
    ) -> Picture:
        """Return the picture of a sample: a copy of the image if there is nothing to draw."""
        pictures: dict[str, Picture] = {}
        if data_sample is not None and draw_gt and "gt_instances" in data_sample:
            pictures[GROUND_TRUTH] = self._draw(image, data_sample.gt_instances)
        if data_sample is not None and draw_pred and "pred_instances" in data_sample:
            found = data_sample.pred_instances
            found = found[found.scores >= pred_score_thr]
            pictures[PREDICTION] = self._draw(image, found)
        if len(pictures) == 2:
            return side_by_side(list(pictures.values()), list(pictures))
        return next(iter(pictures.values()), image.copy())

    def _draw(self, image: Picture, instances: InstanceData) -> Picture:
        if "bboxes" not in instances:
            return image.copy()
        meta = self.dataset_meta or {}
        labels = instances.labels.tolist()
        palette = None if self.bbox_color == "random" else meta.get("palette")
        colors = _own_colors(self.bbox_color, labels)
        mask_colors = _own_colors(self.mask_color, labels)
        if self.mask_color == "random":
            mask_colors = instance_colors(labels, None, len(meta.get("classes", ())))
        drawn = draw_instances(
            image,
            instances.bboxes,
            labels,
            instances.get("scores"),
            instances.get("masks"),
            meta.get("classes"),
            palette,
            colors=colors,
            mask_colors=mask_colors,
            text_color=self.text_color,
            line_width=self.line_width,
            alpha=self.alpha,
        )
        if "keypoints" not in instances:
            return drawn
        joints = instances.keypoints
        if "keypoint_scores" in instances:
            joints = visible_joints(joints, instances.keypoint_scores, self.kpt_thr)
        return draw_keypoints(drawn, joints, meta)


def _own_colors(choice: ColorArgument, labels: Sequence[int]) -> list[Color] | None:
    """The user's colour of each instance; None if the palette is to be taken."""
    if choice is None or isinstance(choice, str):
        return None
    colors = [choice] if np.ndim(choice[0]) == 0 else list(choice)
    return [_as_color(colors[label % len(colors)]) for label in labels]


def _as_color(values: Any) -> Color:
    red, green, blue = (int(value) for value in values)
    return red, green, blue
