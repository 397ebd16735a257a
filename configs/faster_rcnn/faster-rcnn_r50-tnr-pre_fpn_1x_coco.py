# Faster R-CNN, ResNet-50 FPN, torchvision's newer ImageNet weights (IMAGENET1K_V2), AdamW, 12
# epochs on COCO.
_base_ = "./faster-rcnn_r50_fpn_1x_coco.py"

checkpoint = "https://download.pytorch.org/models/resnet50-11ad3fa6.pth"
model = dict(backbone=dict(init_cfg=dict(type="Pretrained", checkpoint=checkpoint)))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type="AdamW", lr=0.0001, weight_decay=0.1),
    paramwise_cfg=dict(norm_decay_mult=0.0, bypass_duplicate=True),
)
