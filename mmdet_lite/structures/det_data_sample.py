"""What travels with one image: annotations, proposals and predictions."""

from mmengine.structures import BaseDataElement, InstanceData


def _instances_field(name: str) -> property:
    """A property that holds an InstanceData under ``_name`` and refuses anything else."""

    def getter(self: "DetDataSample") -> InstanceData:
        return getattr(self, f"_{name}")

    def setter(self: "DetDataSample", value: InstanceData) -> None:
        self.set_field(value, f"_{name}", dtype=InstanceData)

    def deleter(self: "DetDataSample") -> None:
        delattr(self, f"_{name}")

    return property(getter, setter, deleter)


class DetDataSample(BaseDataElement):
    """Annotations and results of one image.

    Fields, each an ``InstanceData``: ``gt_instances`` and ``ignored_instances`` (bboxes (G, 4)
    xyxy, labels (G,), masks, keypoints (G, J, 3) as x, y, visibility), ``proposals`` (bboxes,
    scores) and ``pred_instances`` (bboxes, scores, labels, masks as a list of RLE dicts, keypoints
    (D, J, 2), keypoint_scores (D, J)).

    Frames: in training, boxes and masks are in pixels of the network input. In testing the
    annotations stay in, and the predictions are returned in, pixels of the original image.
    Metainfo: ``img_id, img_path, ori_shape, img_shape`` (h, w), ``scale_factor`` (w, h), ``flip``,
    ``flip_direction``, and after the preprocessor ``batch_input_shape`` (h, w).

    Source: the fields are MMDetection 3's.
    """

    gt_instances = _instances_field("gt_instances")
    ignored_instances = _instances_field("ignored_instances")
    proposals = _instances_field("proposals")
    pred_instances = _instances_field("pred_instances")
