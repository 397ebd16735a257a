# Faster R-CNN with FPN and ResNeXt-101 of 32 groups of width 8.
_base_ = "./faster-rcnn_r50_fpn.py"

model = dict(
    # trained with Caffe2: BGR, and frozen batch norm
    data_preprocessor=dict(
        mean=[103.530, 116.280, 123.675], std=[57.375, 57.120, 58.395], bgr_to_rgb=False
    ),
    backbone=dict(
        type="ResNeXt",
        depth=101,
        groups=32,
        base_width=8,
        norm_cfg=dict(requires_grad=False),
        init_cfg=dict(type="Pretrained", checkpoint="open-mmlab://detectron2/resnext101_32x8d"),
    ),
)
