# SSD with VGG-16 at 512 x 512, trained on VOC 2007 and 2012.
_base_ = [
    "../_base_/models/ssd512.py",
    "../_base_/datasets/voc0712_ssd512.py",
    "../_base_/schedules/schedule_ssd-voc.py",
    "../_base_/default_runtime.py",
]

model = dict(bbox_head=dict(num_classes=20))
