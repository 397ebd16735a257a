# RetinaNet R-101 FPN for the baselines of Detectron.
_base_ = "./retinanet_r50_fpn_detectron.py"

model = dict(backbone=dict(depth=101))
