# Mask R-CNN with ResNet-18 and a pyramid 128 wide, half of the usual and a quarter of its work.
# Nothing is pretrained: batch norm learns and no stage is frozen. Few proposals, small anchors.
_base_ = "./mask-rcnn_r50_fpn.py"

width = 128
proposals = dict(nms_pre=500, max_per_img=250)
model = dict(
    backbone=dict(
        depth=18,
        frozen_stages=-1,  # nothing is pretrained, so nothing may stay as it is
        norm_eval=False,
        norm_cfg=dict(type="BN", requires_grad=True),
        init_cfg=None,
    ),
    neck=dict(in_channels=[64, 128, 256, 512], out_channels=width),
    rpn_head=dict(
        in_channels=width,
        feat_channels=width,
        anchor_generator=dict(scales=[4]),  # small pictures have small objects
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=width),
        bbox_head=dict(in_channels=width, fc_out_channels=256),
        mask_roi_extractor=dict(out_channels=width),
        mask_head=dict(num_convs=2, in_channels=width, conv_out_channels=width),
    ),
    train_cfg=dict(rpn_proposal=proposals, rcnn=dict(sampler=dict(num=64))),
    test_cfg=dict(rpn=proposals),
)
