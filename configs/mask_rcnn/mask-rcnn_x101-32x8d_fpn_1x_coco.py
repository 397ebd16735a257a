# Mask R-CNN, ResNeXt-101 of 32 groups of width 8, FPN, 12 epochs on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_x101-32x8d_fpn.py",
    "../_base_/datasets/coco_instance.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]
