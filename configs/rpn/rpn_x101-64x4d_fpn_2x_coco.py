# RPN, ResNeXt-101 of 64 groups of width 4, FPN, 24 epochs on COCO.
_base_ = "./rpn_r50_fpn_2x_coco.py"

init_cfg = dict(type="Pretrained", checkpoint="open-mmlab://resnext101_64x4d")
model = dict(backbone=dict(type="ResNeXt", depth=101, groups=64, base_width=4, init_cfg=init_cfg))
