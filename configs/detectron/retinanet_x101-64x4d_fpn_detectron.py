# RetinaNet X-101-64x4d FPN for the baselines of Detectron: strides on the 3x3 convolutions.
_base_ = "./retinanet_r50_fpn_detectron.py"

model = dict(backbone=dict(type="ResNeXt", depth=101, groups=64, base_width=4, style="pytorch"))
