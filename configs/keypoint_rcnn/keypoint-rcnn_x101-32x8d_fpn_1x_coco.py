# Keypoint R-CNN, ResNeXt-101 of 32 groups of width 8, FPN, 90,000 iterations on COCO.
_base_ = [
    "../_base_/models/keypoint-rcnn_x101-32x8d_fpn.py",
    "../_base_/datasets/coco_keypoint.py",
    "../_base_/schedules/schedule_90k.py",
    "../_base_/default_runtime.py",
]

train_dataloader = dict(sampler=dict(type="InfiniteSampler"))
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=10000))
log_processor = dict(by_epoch=False)
