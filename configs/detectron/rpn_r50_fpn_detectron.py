# RPN R-50 FPN for the baselines of Detectron: anchors are centred in their cells, 2000
# proposals from 1000 a level in testing.
_base_ = "../rpn/rpn_r50-caffe_fpn_1x_coco.py"

model = dict(
    data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717]),
    backbone=dict(init_cfg=None),
    rpn_head=dict(anchor_generator=dict(center_offset=0.5)),
    test_cfg=dict(rpn=dict(nms_pre=1000, max_per_img=2000)),
)
