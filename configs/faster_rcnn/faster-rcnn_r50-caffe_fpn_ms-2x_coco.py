# Faster R-CNN, ResNet-50 FPN in Caffe style, short side 640 to 800, 24 epochs on COCO. MMDetection
# 3.3 ends the schedule (end=12) before both of its milestones, so that its rate never falls.
_base_ = [
    "../_base_/models/faster-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_detection_ms.py",
    "../_base_/schedules/schedule_2x.py",
    "../_base_/default_runtime.py",
]

param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=24, milestones=[16, 23], gamma=0.1),
]
