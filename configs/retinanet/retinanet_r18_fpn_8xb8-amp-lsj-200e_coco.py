# RetinaNet, ResNet-18 FPN, large-scale jitter (Ghiasi 2021), batch 64, mixed precision.
_base_ = "./retinanet_r50_fpn_8xb8-amp-lsj-200e_coco.py"

model = dict(
    backbone=dict(
        depth=18,
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet18"),
    ),
    neck=dict(in_channels=[64, 128, 256, 512]),
)
