# Light Faster R-CNN, fine-tuned on the 160 training images of the raccoon set in minutes on a CPU.
#   python tools/dataset_converters/pascal_voc.py data/raccoon/VOCdevkit
_base_ = [
    "../_base_/models/faster-rcnn_mobilenet-v2_fpn.py",
    "../_base_/datasets/raccoon_detection.py",
    "../_base_/schedules/schedule_raccoon.py",
    "../_base_/default_runtime.py",
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=1)))
default_hooks = dict(
    logger=dict(interval=10),
    checkpoint=dict(interval=5, save_best="coco/bbox_mAP_50", max_keep_ckpts=2),
)
