# RetinaNet, ResNeXt-101 of 64 groups of width 4, FPN, short side 640 to 800, 36 epochs on COCO.
_base_ = [
    "../_base_/models/retinanet_r50_fpn.py",
    "../_base_/datasets/coco_detection_ms-3x.py",
    "../_base_/schedules/schedule_3x-repeated.py",
    "../_base_/default_runtime.py",
]

optim_wrapper = dict(optimizer=dict(lr=0.01))
init_cfg = dict(type="Pretrained", checkpoint="open-mmlab://resnext101_64x4d")
model = dict(backbone=dict(type="ResNeXt", depth=101, groups=64, base_width=4, init_cfg=init_cfg))
