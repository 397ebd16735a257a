# Faster R-CNN, ResNet-50 FPN, soft-NMS (Bodla 2017) at test time, 12 epochs on COCO.
_base_ = "./faster-rcnn_r50_fpn_1x_coco.py"

model = dict(test_cfg=dict(rcnn=dict(nms=dict(type="soft_nms"))))
