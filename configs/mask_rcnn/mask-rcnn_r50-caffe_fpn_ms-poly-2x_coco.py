# Mask R-CNN, ResNet-50 in Caffe style, short side 640 to 800, masks kept as polygons,
# 24 epochs on COCO.
_base_ = "./mask-rcnn_r50-caffe_fpn_ms-poly-1x_coco.py"

train_cfg = dict(max_epochs=24)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=24, milestones=[16, 22], gamma=0.1),
]
