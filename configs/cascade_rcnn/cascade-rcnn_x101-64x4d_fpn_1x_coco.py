# Cascade R-CNN, ResNeXt-101 of 64 groups of width 4, FPN, 12 epochs on COCO.
_base_ = "./cascade-rcnn_r50_fpn_1x_coco.py"

init_cfg = dict(type="Pretrained", checkpoint="open-mmlab://resnext101_64x4d")
model = dict(backbone=dict(type="ResNeXt", depth=101, groups=64, base_width=4, init_cfg=init_cfg))
