# RPN R-50 C4 for the baselines of Detectron: anchors are centred in their cells.
_base_ = "../rpn/rpn_r50-caffe-c4_1x_coco.py"

model = dict(
    data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717]),
    backbone=dict(init_cfg=None),
    rpn_head=dict(anchor_generator=dict(center_offset=0.5)),
)
