# Faster R-CNN with group norm and weight standardisation everywhere (Qiao 2019), and a box head of
# four convolutions and one linear layer. As MMDetection 3.3's folder gn+ws has it.
_base_ = "./faster-rcnn_r50_fpn.py"

layers = dict(
    conv_cfg=dict(type="ConvWS"),
    norm_cfg=dict(type="GN", num_groups=32, requires_grad=True),
)
model = dict(
    backbone=dict(
        **layers,
        init_cfg=dict(type="Pretrained", checkpoint="open-mmlab://jhu/resnet50_gn_ws"),
    ),
    neck=layers,
    roi_head=dict(
        bbox_head=dict(type="Shared4Conv1FCBBoxHead", conv_out_channels=256, **layers),
    ),
)
