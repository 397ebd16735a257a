# Faster R-CNN, ResNet-50 FPN, trained on the regions with the largest loss (Shrivastava 2016), 12
# epochs on COCO.
_base_ = "./faster-rcnn_r50_fpn_1x_coco.py"

model = dict(train_cfg=dict(rcnn=dict(sampler=dict(type="OHEMSampler"))))
