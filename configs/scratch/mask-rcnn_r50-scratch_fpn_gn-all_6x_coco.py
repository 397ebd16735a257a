# Mask R-CNN, ResNet-50 FPN, no pretrained weights (He 2018), group norm, 73 epochs on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn_gn.py",
    "../_base_/datasets/coco_instance.py",
    "../_base_/schedules/schedule_6x.py",
    "../_base_/default_runtime.py",
]

# nothing is pretrained, so nothing may stay as it is
model = dict(backbone=dict(frozen_stages=-1, zero_init_residual=False, init_cfg=None))
