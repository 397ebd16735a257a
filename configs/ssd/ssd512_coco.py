# SSD with VGG-16 at 512 x 512, trained on COCO 2017.
_base_ = [
    "../_base_/models/ssd512.py",
    "../_base_/datasets/coco_ssd512.py",
    "../_base_/schedules/schedule_ssd.py",
    "../_base_/default_runtime.py",
]

model = dict(bbox_head=dict(anchor_generator=dict(basesize_ratio_range=(0.1, 0.9))))
