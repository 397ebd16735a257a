# Keypoint R-CNN X-101-32x8d FPN as Detectron2 runs it, for its model zoo's weights: images are
# divided by their deviations, strides stand on the 3x3 convolutions.
_base_ = "./keypoint-rcnn_r50_fpn_detectron2.py"

model = dict(
    data_preprocessor=dict(std=[57.375, 57.120, 58.395]),
    backbone=dict(type="ResNeXt", depth=101, groups=32, base_width=8, style="pytorch"),
)
