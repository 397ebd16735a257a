# RetinaNet, ResNet-18 FPN, 12 epochs on COCO.
_base_ = "./retinanet_r50_fpn_1x_coco.py"

model = dict(
    backbone=dict(
        depth=18,
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet18"),
    ),
    neck=dict(in_channels=[64, 128, 256, 512]),
)
