# Mask R-CNN, ResNet-101 FPN, group norm everywhere (Wu 2018), 36 epochs on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn_gn.py",
    "../_base_/datasets/coco_instance.py",
    "../_base_/schedules/schedule_3x.py",
    "../_base_/default_runtime.py",
]

checkpoint = "open-mmlab://detectron/resnet101_gn"
model = dict(
    data_preprocessor=dict(mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(depth=101, init_cfg=dict(type="Pretrained", checkpoint=checkpoint)),
)
