# Faster R-CNN, ResNet-50 FPN in Caffe style, short side 640 to 800, 36 epochs on COCO.
_base_ = [
    "../_base_/models/faster-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_detection_ms-3x.py",
    "../_base_/schedules/schedule_3x-repeated.py",
    "../_base_/default_runtime.py",
]
