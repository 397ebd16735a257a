# Faster R-CNN, ResNet-50 without a pyramid (C4), as GluonCV trains it on VOC 2007 and 2012: short
# side 600, flips alone, one image a step, 20 epochs. GluonCV also trains on difficult objects,
# which are left out here.
_base_ = [
    "../_base_/models/faster-rcnn_r50-c4_gluoncv.py",
    "../_base_/datasets/voc0712_gluoncv.py",
    "../_base_/schedules/schedule_20e_gluoncv.py",
    "../_base_/default_runtime.py",
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=20)))
