# Faster R-CNN as torchvision runs fasterrcnn_resnet50_fpn: its weights give its detections here.
# What differs from faster_rcnn/: input size rounded down, anchors on whole pixels, RoIs not moved
# by half a pixel, boxes without area dropped, widths bounded above only, norms without epsilon.
_base_ = [
    "../_base_/models/faster-rcnn_r50_fpn_torchvision.py",
    "../_base_/datasets/coco_detection_torchvision.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]
