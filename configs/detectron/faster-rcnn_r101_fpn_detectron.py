# Faster R-CNN R-101 FPN for the baselines of Detectron.
_base_ = "../detectron_tutorial/faster-rcnn_r50-caffe_fpn_8xb2-1x_coco.py"

model = dict(backbone=dict(depth=101, init_cfg=None))
