# RetinaNet R-101 FPN as Detectron2 runs it, for its model zoo's weights.
_base_ = "./retinanet_r50_fpn_detectron2.py"

model = dict(backbone=dict(depth=101))
