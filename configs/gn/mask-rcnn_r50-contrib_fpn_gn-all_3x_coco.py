# Mask R-CNN, ResNet-50 FPN, group norm everywhere (Wu 2018), ImageNet weights of MMDetection's
# contributors instead of Detectron's (RGB, with deviations), 36 epochs on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn_gn.py",
    "../_base_/datasets/coco_instance.py",
    "../_base_/schedules/schedule_3x.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(init_cfg=dict(type="Pretrained", checkpoint="open-mmlab://contrib/resnet50_gn")),
)
