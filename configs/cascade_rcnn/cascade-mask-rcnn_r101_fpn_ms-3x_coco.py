# Cascade Mask R-CNN, ResNet-101 FPN, short side 640 to 800, 36 epochs on COCO.
_base_ = [
    "../_base_/models/cascade-mask-rcnn_r50_fpn.py",
    "../_base_/datasets/coco_instance_ms-3x.py",
    "../_base_/schedules/schedule_3x-repeated.py",
    "../_base_/default_runtime.py",
]

init_cfg = dict(type="Pretrained", checkpoint="torchvision://resnet101")
model = dict(backbone=dict(depth=101, init_cfg=init_cfg))
