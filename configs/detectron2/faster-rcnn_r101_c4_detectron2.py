# Faster R-CNN R-101 C4 as Detectron2 runs it, for its model zoo's weights.
_base_ = "./faster-rcnn_r50_c4_detectron2.py"

model = dict(backbone=dict(depth=101), roi_head=dict(shared_head=dict(depth=101)))
