# Mask R-CNN X-152-32x8d FPN for the baselines of Detectron. Its numbers there are with flips and
# scales in testing (--tta).
_base_ = "./mask-rcnn_r50_fpn_detectron.py"

model = dict(backbone=dict(type="ResNeXt", depth=152, groups=32, base_width=8, style="pytorch"))
