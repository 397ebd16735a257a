# Mask R-CNN, ResNet-50 in Caffe style, short side 640 to 800, masks kept as polygons,
# 36 epochs on COCO.
_base_ = "./mask-rcnn_r50-caffe_fpn_ms-poly-1x_coco.py"

train_cfg = dict(max_epochs=36)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    # MMDetection 3.3 writes end=24 here, before both milestones, so that the rate never falls
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=36, milestones=[28, 34], gamma=0.1),
]
