# Mask R-CNN as torchvision runs maskrcnn_resnet50_fpn; see faster-rcnn_r50_fpn_torchvision.py.
# Besides: masks are pasted into boxes of whole pixels.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn_torchvision.py",
    "../_base_/datasets/coco_instance_torchvision.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]
