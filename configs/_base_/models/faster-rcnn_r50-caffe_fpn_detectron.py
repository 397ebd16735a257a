# Faster R-CNN with FPN and ResNet-50 as Detectron's baselines of 2017 have it: RoIAlign with four
# points a cell and without the half-pixel shift, smooth L1 losses, anchors centred in their cells
# and inside the picture only, 2000 proposals in training. Numbers from Detectron's
# configs/12_2017_baselines.
_base_ = "./faster-rcnn_r50-caffe_fpn.py"

weights = "https://dl.fbaipublicfiles.com/detectron/ImageNetPretrained/MSRA/R-50.pkl"
model = dict(
    data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717]),
    backbone=dict(init_cfg=dict(checkpoint=weights)),
    rpn_head=dict(
        anchor_generator=dict(center_offset=0.5),
        loss_bbox=dict(type="SmoothL1Loss", beta=1 / 9),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=dict(sampling_ratio=2, aligned=False)),
        bbox_head=dict(loss_bbox=dict(type="SmoothL1Loss", beta=1.0)),
    ),
    train_cfg=dict(rpn=dict(allowed_border=0), rpn_proposal=dict(max_per_img=2000)),
)
