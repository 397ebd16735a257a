# Faster R-CNN, ResNet-50 FPN, 12 epochs on COCO in mixed precision.
_base_ = "./faster-rcnn_r50_fpn_1x_coco.py"

optim_wrapper = dict(type="AmpOptimWrapper")
