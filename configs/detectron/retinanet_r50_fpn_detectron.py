# RetinaNet R-50 FPN for the baselines of Detectron; a ReLU stands between its two extra levels,
# anchors are centred in their cells.
_base_ = "../retinanet/retinanet_r50-caffe_fpn_1x_coco.py"

model = dict(
    data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717], pad_size_divisor=128),
    backbone=dict(init_cfg=None),
    neck=dict(relu_before_extra_convs=True),
    bbox_head=dict(
        anchor_generator=dict(center_offset=0.5),
        loss_bbox=dict(type="SmoothL1Loss", beta=0.11),
    ),
)
