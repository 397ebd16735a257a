# Keypoint R-CNN R-50 FPN as Detectron2 runs it, for its model zoo's weights: BGR around the mean,
# strides on the 1x1 convolutions, as many samples in a bin as it is pixels long, Pillow's resizing.
_base_ = [
    "../_base_/models/keypoint-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_keypoint_pillow.py",
    "../_base_/schedules/schedule_90k.py",
    "../_base_/default_runtime.py",
]

roi_extractor = dict(roi_layer=dict(sampling_ratio=0))
roi_head = dict(bbox_roi_extractor=roi_extractor, keypoint_roi_extractor=roi_extractor)
model = dict(backbone=dict(init_cfg=None), roi_head=roi_head)
train_dataloader = dict(sampler=dict(type="InfiniteSampler"))
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=10000))
log_processor = dict(by_epoch=False)
