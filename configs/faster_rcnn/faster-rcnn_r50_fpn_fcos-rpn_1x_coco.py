# Faster R-CNN, ResNet-50 FPN, proposals from FCOS, 12 epochs on COCO, warm-up over 1,000
# iterations.
_base_ = [
    "../_base_/models/faster-rcnn_r50_fpn_fcos-rpn.py",
    "../_base_/datasets/coco_detection.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=12, milestones=[8, 11], gamma=0.1),
]
