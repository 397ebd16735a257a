# Mask R-CNN, ResNeXt-50 of 32 groups of width 4, FPN, group norm and weight standardisation
# everywhere (Qiao 2019), 24 epochs on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn_gn-ws.py",
    "../_base_/datasets/coco_instance.py",
    "../_base_/schedules/schedule_2x.py",
    "../_base_/default_runtime.py",
]

init_cfg = dict(type="Pretrained", checkpoint="open-mmlab://jhu/resnext50_32x4d_gn_ws")
model = dict(backbone=dict(type="ResNeXt", groups=32, base_width=4, init_cfg=init_cfg))
