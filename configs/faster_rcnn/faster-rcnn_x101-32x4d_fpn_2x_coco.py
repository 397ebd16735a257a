# Faster R-CNN, ResNeXt-101 of 32 groups of width 4, FPN, 24 epochs on COCO.
_base_ = [
    "../_base_/models/faster-rcnn_r50_fpn.py",
    "../_base_/datasets/coco_detection.py",
    "../_base_/schedules/schedule_2x.py",
    "../_base_/default_runtime.py",
]

init_cfg = dict(type="Pretrained", checkpoint="open-mmlab://resnext101_32x4d")
model = dict(backbone=dict(type="ResNeXt", depth=101, groups=32, base_width=4, init_cfg=init_cfg))
