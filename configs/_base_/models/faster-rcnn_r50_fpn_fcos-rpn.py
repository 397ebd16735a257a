# Faster R-CNN with ResNet-50 and FPN whose proposals come from FCOS (Tian 2019) instead of an RPN
# with anchors. Numbers as MMDetection 3.3 sets them, so its weights fit.
_base_ = "./faster-rcnn_r50_fpn.py"

model = dict(
    neck=dict(start_level=1, add_extra_convs="on_output", relu_before_extra_convs=True),
    rpn_head=dict(
        _delete_=True,
        type="FCOSHead",
        num_classes=1,
        in_channels=256,
        stacked_convs=4,
        feat_channels=256,
        strides=[8, 16, 32, 64, 128],
        loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0),
        loss_bbox=dict(type="IoULoss", loss_weight=1.0),
        loss_centerness=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=1.0),
    ),
    roi_head=dict(bbox_roi_extractor=dict(featmap_strides=[8, 16, 32, 64, 128])),
)
