# Faster R-CNN, ResNet-50 FPN, group norm and weight standardisation everywhere (Qiao 2019), 12
# epochs on COCO.
_base_ = [
    "../_base_/models/faster-rcnn_r50_fpn_gn-ws.py",
    "../_base_/datasets/coco_detection.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]
