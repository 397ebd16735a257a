# Fast R-CNN, ResNet-101 FPN, proposals from files, 24 epochs on COCO.
_base_ = [
    "../_base_/models/fast-rcnn_r50_fpn.py",
    "../_base_/datasets/coco_proposals.py",
    "../_base_/schedules/schedule_2x.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet101"),
    )
)
