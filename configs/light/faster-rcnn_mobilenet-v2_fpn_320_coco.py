# Light Faster R-CNN on COCO: MobileNetV2, short side 320, 30 epochs in batches of 8.
_base_ = [
    "../_base_/models/faster-rcnn_mobilenet-v2_fpn.py",
    "../_base_/datasets/coco_detection_320.py",
    "../_base_/schedules/schedule_light.py",
    "../_base_/default_runtime.py",
]
