# Mask R-CNN, ResNet-50 FPN in Caffe style, short side 640 to 800, masks kept as polygons, 24
# epochs on COCO.
_base_ = [
    "../_base_/models/mask-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_instance_ms-poly.py",
    "../_base_/schedules/schedule_2x.py",
    "../_base_/default_runtime.py",
]
