# Keypoint R-CNN, ResNet-101 FPN, 130,000 iterations on COCO.
_base_ = "./keypoint-rcnn_r50_fpn_s1x_coco.py"

model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet101"),
    )
)
