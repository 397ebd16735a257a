# Mask R-CNN without a pyramid (He 2017): the mask branch shares the fourth stage of ResNet-50 with
# the box branch. Numbers as MMDetection 3.3 sets them, so its weights fit; it leaves the fourth
# stage unpretrained here, this file does not.
_base_ = "./faster-rcnn_r50-caffe-c4.py"

model = dict(
    type="MaskRCNN",
    data_preprocessor=dict(pad_mask=True),
    roi_head=dict(
        mask_roi_extractor=None,  # the box branch's
        mask_head=dict(
            type="FCNMaskHead",
            num_convs=0,
            in_channels=2048,
            conv_out_channels=256,
            num_classes=80,
            loss_mask=dict(type="CrossEntropyLoss", use_mask=True, loss_weight=1.0),
        ),
    ),
    train_cfg=dict(rpn=dict(allowed_border=0), rcnn=dict(mask_size=14)),
    test_cfg=dict(rcnn=dict(mask_thr_binary=0.5)),
)
