# Mask R-CNN, ResNet-50 FPN, ImageNet weights of 'ResNet strikes back' (Wightman 2021), AdamW, 12
# epochs on COCO.
_base_ = "../mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py"

checkpoint = "https://download.openmmlab.com/mmclassification/v0/resnet/resnet50_8xb256-rsb-a1-600e_in1k_20211228-20e21305.pth"
init_cfg = dict(type="Pretrained", prefix="backbone.", checkpoint=checkpoint)
model = dict(backbone=dict(init_cfg=init_cfg))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type="AdamW", lr=0.0002, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0.0, bypass_duplicate=True),
)
