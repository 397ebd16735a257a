# Mask R-CNN R-50 FPN with group norm, nothing pretrained, 3x, as Detectron2 runs it.
_base_ = "./mask-rcnn_r50_fpn_gn_detectron2.py"

model = dict(backbone=dict(frozen_stages=-1, zero_init_residual=False))
