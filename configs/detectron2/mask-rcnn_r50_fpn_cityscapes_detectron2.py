# Mask R-CNN R-50 FPN on Cityscapes as Detectron2 runs it, for its model zoo's weights: BGR around
# the mean, strides on the 1x1 convolutions, Pillow's resizing.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn_cityscapes.py",
    "../_base_/datasets/cityscapes_instance_pillow.py",
    "../_base_/schedules/schedule_cityscapes.py",
    "../_base_/default_runtime.py",
]

model = dict(
    data_preprocessor=dict(mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(norm_cfg=dict(requires_grad=False), style="caffe", init_cfg=None),
)
