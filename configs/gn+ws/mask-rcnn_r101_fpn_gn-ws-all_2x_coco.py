# Mask R-CNN, ResNet-101 FPN, group norm and weight standardisation everywhere (Qiao 2019), 24
# epochs on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn_gn-ws.py",
    "../_base_/datasets/coco_instance.py",
    "../_base_/schedules/schedule_2x.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(type="Pretrained", checkpoint="open-mmlab://jhu/resnet101_gn_ws"),
    )
)
