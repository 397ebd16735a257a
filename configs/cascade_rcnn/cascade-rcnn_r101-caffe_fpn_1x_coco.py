# Cascade R-CNN, ResNet-101 FPN in Caffe style, 12 epochs on COCO.
_base_ = [
    "../_base_/models/cascade-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_detection.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

init_cfg = dict(type="Pretrained", checkpoint="open-mmlab://detectron2/resnet101_caffe")
model = dict(backbone=dict(depth=101, init_cfg=init_cfg))
