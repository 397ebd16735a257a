# SSD with VGG-16 at 300 x 300, trained on COCO 2017.
_base_ = [
    "../_base_/models/ssd300.py",
    "../_base_/datasets/coco_ssd300.py",
    "../_base_/schedules/schedule_ssd.py",
    "../_base_/default_runtime.py",
]
