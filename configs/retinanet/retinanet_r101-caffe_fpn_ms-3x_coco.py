# RetinaNet, ResNet-101 FPN in Caffe style, short side 640 to 800, 36 epochs on COCO.
_base_ = [
    "../_base_/models/retinanet_r50-caffe_fpn.py",
    "../_base_/datasets/coco_detection_ms.py",
    "../_base_/schedules/schedule_3x.py",
    "../_base_/default_runtime.py",
]

optim_wrapper = dict(optimizer=dict(lr=0.01))
init_cfg = dict(type="Pretrained", checkpoint="open-mmlab://detectron2/resnet101_caffe")
model = dict(backbone=dict(depth=101, init_cfg=init_cfg))
