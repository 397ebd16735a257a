# Mask R-CNN, ResNet-50 FPN, short side 640 to 800, masks kept as polygons, 36 epochs on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn.py",
    "../_base_/datasets/coco_instance_ms-poly-3x.py",
    "../_base_/schedules/schedule_3x-repeated.py",
    "../_base_/default_runtime.py",
]
