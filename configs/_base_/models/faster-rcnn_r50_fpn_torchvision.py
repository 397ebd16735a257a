# Faster R-CNN with ResNet-50 and FPN as torchvision has it: see torchvision_settings.py.
_base_ = ["./faster-rcnn_r50_fpn.py", "./torchvision_settings.py"]

model = dict(
    backbone=_base_.frozen_backbone,
    rpn_head=dict(
        anchor_generator=dict(_delete_=True, **_base_.whole_pixel_anchors),
        bbox_coder=_base_.one_sided,
    ),
    roi_head=dict(
        bbox_roi_extractor=_base_.unmoved_rois,
        bbox_head=dict(bbox_coder=_base_.one_sided),
    ),
    train_cfg=dict(rpn_proposal=dict(max_per_img=2000, **_base_.with_area)),
    test_cfg=dict(rpn=_base_.with_area, rcnn=dict(min_bbox_size=1e-2)),
)
