# Mask R-CNN R-50 FPN with group norm as Detectron2 runs it, for its model zoo's weights: images are
# resized by Pillow, which smooths where it makes them smaller.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn_gn.py",
    "../_base_/datasets/coco_instance_pillow.py",
    "../_base_/schedules/schedule_3x.py",
    "../_base_/default_runtime.py",
]

model = dict(
    data_preprocessor=dict(mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(init_cfg=None),
)
