# Mask R-CNN, ResNet-50 FPN in Caffe style, the conventions of MMDetection 1.x, 12 epochs on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_r50-caffe_fpn_v1.py",
    "../_base_/datasets/coco_instance.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]
