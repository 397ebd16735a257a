# Keypoint R-CNN as torchvision runs keypointrcnn_resnet50_fpn; see faster-rcnn_r50_fpn_torchvision.
# Besides: COCO's keypoints are taken as they are, not as centres of pixels; ours are scored by the
# share of the heatmap at the peak (0..1), torchvision's by its height.
_base_ = [
    "../_base_/models/keypoint-rcnn_r50_fpn_torchvision.py",
    "../_base_/datasets/coco_keypoint_torchvision.py",
    "../_base_/schedules/schedule_90k.py",
    "../_base_/default_runtime.py",
]

train_dataloader = dict(sampler=dict(type="InfiniteSampler"))
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=10000))
log_processor = dict(by_epoch=False)
