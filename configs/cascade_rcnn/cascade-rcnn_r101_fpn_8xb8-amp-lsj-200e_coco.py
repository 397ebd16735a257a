# Cascade R-CNN, ResNet-101 FPN, large-scale jitter (Ghiasi 2021), batch 64, mixed precision.
_base_ = "./cascade-rcnn_r50_fpn_8xb8-amp-lsj-200e_coco.py"

model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet101"),
    )
)
