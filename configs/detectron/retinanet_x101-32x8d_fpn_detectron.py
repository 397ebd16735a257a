# RetinaNet X-101-32x8d FPN for the baselines of Detectron: strides on the 3x3 convolutions.
_base_ = "./retinanet_r50_fpn_detectron.py"

model = dict(backbone=dict(type="ResNeXt", depth=101, groups=32, base_width=8, style="pytorch"))
