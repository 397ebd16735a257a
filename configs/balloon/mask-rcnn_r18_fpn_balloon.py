# Mask R-CNN with ResNet-18 on the balloon set, from scratch on a CPU in a few minutes: pictures of
# 320 x 240, 16 epochs. The demo (make demo) trains this.
_base_ = [
    "../_base_/models/mask-rcnn_r18-scratch_fpn-128.py",
    "../_base_/datasets/balloon_instance_320.py",
    "../_base_/schedules/schedule_balloon.py",
    "../_base_/default_runtime.py",
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=1), mask_head=dict(num_classes=1)))
default_hooks = dict(
    logger=dict(interval=10),
    checkpoint=dict(interval=1, save_best="coco/segm_mAP", max_keep_ckpts=2),
)
