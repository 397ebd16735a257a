# Light Faster R-CNN on the raccoon set as it comes, in Pascal VOC's form, scored as VOC does.
_base_ = [
    "../_base_/models/faster-rcnn_mobilenet-v2_fpn.py",
    "../_base_/datasets/raccoon_voc.py",
    "../_base_/schedules/schedule_raccoon.py",
    "../_base_/default_runtime.py",
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=1)))
default_hooks = dict(
    logger=dict(interval=10),
    checkpoint=dict(interval=5, save_best="pascal_voc/AP50", max_keep_ckpts=2),
)
