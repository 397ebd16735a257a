# Fast R-CNN, ResNet-101 FPN in Caffe style, proposals from files, 12 epochs on COCO.
_base_ = [
    "../_base_/models/fast-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_proposals.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(type="Pretrained", checkpoint="open-mmlab://detectron2/resnet101_caffe"),
    )
)
