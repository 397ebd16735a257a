# Faster R-CNN for small machines: MobileNetV2 from torchvision by its name, a pyramid of strides 8
# to 64 that is 128 wide, and few proposals.
_base_ = "./faster-rcnn_r50_fpn.py"

width = 128
proposals = dict(nms_pre=500, max_per_img=250)
model = dict(
    backbone=dict(
        _delete_=True,
        type="TorchvisionBackbone",
        name="mobilenet_v2",
        out_indices=(1, 2, 3),  # strides 8, 16, 32
        frozen_stages=1,
        norm_eval=True,
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://mobilenet_v2"),
    ),
    neck=dict(in_channels=[32, 96, 1280], out_channels=width, num_outs=4),
    rpn_head=dict(
        in_channels=width,
        feat_channels=width,
        anchor_generator=dict(scales=[4], strides=[8, 16, 32, 64]),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(
            roi_layer=dict(sampling_ratio=2),
            out_channels=width,
            featmap_strides=[8, 16, 32],
            finest_scale=112,
        ),
        bbox_head=dict(in_channels=width, fc_out_channels=512),
    ),
    train_cfg=dict(rpn_proposal=proposals, rcnn=dict(sampler=dict(num=128))),
    test_cfg=dict(rpn=proposals),
)
