# Faster R-CNN, ResNet-50 FPN, trained on VOC 2007 and 2012 in COCO form.
_base_ = [
    "../_base_/models/faster-rcnn_r50_fpn.py",
    "../_base_/datasets/voc0712_coco-format.py",
    "../_base_/schedules/schedule_voc.py",
    "../_base_/default_runtime.py",
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=20)))
