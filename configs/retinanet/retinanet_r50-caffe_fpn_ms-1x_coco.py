# RetinaNet, ResNet-50 FPN in Caffe style, short side 640 to 800, 12 epochs on COCO.
_base_ = [
    "../_base_/models/retinanet_r50-caffe_fpn.py",
    "../_base_/datasets/coco_detection_ms.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

optim_wrapper = dict(optimizer=dict(lr=0.01))
