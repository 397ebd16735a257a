# Faster R-CNN, ResNet-50 FPN, as Detectron's 1x baseline has it: 8 GPUs of 2 images, rate 0.02.
_base_ = [
    "../_base_/models/faster-rcnn_r50-caffe_fpn_detectron.py",
    "../_base_/datasets/coco_detection.py",
    "../_base_/schedules/schedule_90k_detectron.py",
    "../_base_/default_runtime.py",
]

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=2500))
log_processor = dict(by_epoch=False)
