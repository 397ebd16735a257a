# RetinaNet, ResNeXt-101 of 32 groups of width 4, FPN, 12 epochs on COCO.
_base_ = "./retinanet_r50_fpn_1x_coco.py"

init_cfg = dict(type="Pretrained", checkpoint="open-mmlab://resnext101_32x4d")
model = dict(backbone=dict(type="ResNeXt", depth=101, groups=32, base_width=4, init_cfg=init_cfg))
