# Mask R-CNN, ResNet-101 FPN, group norm and weight standardisation everywhere (Qiao 2019), 24
# epochs on COCO with steps after 20 and 23.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn_gn-ws.py",
    "../_base_/datasets/coco_instance.py",
    "../_base_/schedules/schedule_20-23-24e.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(type="Pretrained", checkpoint="open-mmlab://jhu/resnet101_gn_ws"),
    )
)
