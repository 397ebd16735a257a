# Mask R-CNN with group norm everywhere (Wu 2018) instead of batch norm, and a box head of four
# convolutions and one linear layer. As MMDetection 3.3's folders gn and scratch have it.
_base_ = "./mask-rcnn_r50_fpn.py"

norm_cfg = dict(type="GN", num_groups=32, requires_grad=True)
model = dict(
    backbone=dict(norm_cfg=norm_cfg),
    neck=dict(norm_cfg=norm_cfg),
    roi_head=dict(
        bbox_head=dict(type="Shared4Conv1FCBBoxHead", conv_out_channels=256, norm_cfg=norm_cfg),
        mask_head=dict(norm_cfg=norm_cfg),
    ),
)
