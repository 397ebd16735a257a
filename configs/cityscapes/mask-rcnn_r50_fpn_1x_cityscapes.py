# Mask R-CNN, ResNet-50 FPN, 64 epochs on Cityscapes, from weights trained on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn_cityscapes.py",
    "../_base_/datasets/cityscapes_instance.py",
    "../_base_/schedules/schedule_cityscapes.py",
    "../_base_/default_runtime.py",
]

load_from = "https://download.openmmlab.com/mmdetection/v2.0/mask_rcnn/mask_rcnn_r50_fpn_1x_coco/mask_rcnn_r50_fpn_1x_coco_20200205-d4b0c5d6.pth"
