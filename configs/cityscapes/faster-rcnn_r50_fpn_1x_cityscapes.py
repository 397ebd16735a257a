# Faster R-CNN, ResNet-50 FPN, 64 epochs on Cityscapes, from weights trained on COCO.
_base_ = [
    "../_base_/models/faster-rcnn_r50_fpn_cityscapes.py",
    "../_base_/datasets/cityscapes_detection.py",
    "../_base_/schedules/schedule_cityscapes.py",
    "../_base_/default_runtime.py",
]

load_from = "https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r50_fpn_1x_coco/faster_rcnn_r50_fpn_1x_coco_20200130-047c8118.pth"
