# Cascade Mask R-CNN R-50 FPN as Detectron2 runs it, for its model zoo's weights: like MMDetection's
# caffe models; images are resized by Pillow, which smooths where it makes them smaller, and its
# one mask head becomes three equal ones.
_base_ = [
    "../_base_/models/cascade-mask-rcnn_r50-caffe_fpn_detectron2.py",
    "../_base_/datasets/coco_instance_pillow.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

model = dict(backbone=dict(init_cfg=None))
