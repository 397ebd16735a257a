# RetinaNet R-50 FPN as Detectron2 runs it, for its model zoo's weights: like MMDetection's caffe
# models; only images are resized by Pillow, which smooths where it makes them smaller.
# A ReLU stands between its two extra levels.
_base_ = [
    "../_base_/models/retinanet_r50-caffe_fpn.py",
    "../_base_/datasets/coco_detection_pillow.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

model = dict(backbone=dict(init_cfg=None), neck=dict(relu_before_extra_convs=True))
optim_wrapper = dict(optimizer=dict(lr=0.01))
