# SSD with VGG-16 at 300 x 300, trained on VOC 2007 and 2012.
_base_ = [
    "../_base_/models/ssd300.py",
    "../_base_/datasets/voc0712_ssd300.py",
    "../_base_/schedules/schedule_ssd-voc.py",
    "../_base_/default_runtime.py",
]

anchors = dict(basesize_ratio_range=(0.2, 0.9))
model = dict(bbox_head=dict(num_classes=20, anchor_generator=anchors))
