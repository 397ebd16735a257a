# Faster R-CNN, ResNet-50 FPN in Caffe style, short side 640 to 800, 90,000 iterations on COCO.
_base_ = [
    "../_base_/models/faster-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_detection_ms.py",
    "../_base_/schedules/schedule_90k.py",
    "../_base_/default_runtime.py",
]

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=10000))
log_processor = dict(by_epoch=False)
