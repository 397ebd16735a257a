# Mask R-CNN with ResNet-50 and FPN for the 8 classes of Cityscapes, with smooth L1 loss of
# the boxes. No ImageNet weights: it starts from a detector trained on COCO.
_base_ = "./mask-rcnn_r50_fpn.py"

loss_bbox = dict(type="SmoothL1Loss", beta=1.0, loss_weight=1.0)
model = dict(
    backbone=dict(init_cfg=None),
    roi_head=dict(
        bbox_head=dict(num_classes=8, loss_bbox=loss_bbox),
        mask_head=dict(num_classes=8),
    ),
)
