# Faster R-CNN R-101 DC5 as Detectron2 runs it, for its model zoo's weights.
_base_ = "./faster-rcnn_r50_dc5_detectron2.py"

model = dict(backbone=dict(depth=101))
