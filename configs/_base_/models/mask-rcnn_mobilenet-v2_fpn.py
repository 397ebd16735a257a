# Mask R-CNN for small machines: the light Faster R-CNN and two convolutions for masks.
_base_ = "./faster-rcnn_mobilenet-v2_fpn.py"

model = dict(
    type="MaskRCNN",
    data_preprocessor=dict(pad_mask=True),
    roi_head=dict(
        mask_roi_extractor=dict(
            type="SingleRoIExtractor",
            roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=2),
            out_channels=128,
            featmap_strides=[8, 16, 32],
            finest_scale=112,
        ),
        mask_head=dict(
            type="FCNMaskHead",
            num_convs=2,
            in_channels=128,
            conv_out_channels=128,
            num_classes=80,
            loss_mask=dict(type="CrossEntropyLoss", use_mask=True, loss_weight=1.0),
        ),
    ),
    train_cfg=dict(rcnn=dict(mask_size=28)),
    test_cfg=dict(rcnn=dict(mask_thr_binary=0.5)),
)
