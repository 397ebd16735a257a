# Keypoint R-CNN, ResNet-50 FPN, 130,000 iterations on COCO.
_base_ = [
    "../_base_/models/keypoint-rcnn_r50_fpn.py",
    "../_base_/datasets/coco_keypoint.py",
    "../_base_/schedules/schedule_s1x.py",
    "../_base_/default_runtime.py",
]

train_dataloader = dict(sampler=dict(type="InfiniteSampler"))
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=10000))
log_processor = dict(by_epoch=False)
