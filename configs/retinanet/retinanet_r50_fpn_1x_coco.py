# RetinaNet, ResNet-50 FPN, 12 epochs on COCO, test-time augmentation at hand.
_base_ = [
    "../_base_/models/retinanet_r50_fpn.py",
    "../_base_/datasets/coco_detection.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
    "../_base_/tta_multiscale.py",
]

optim_wrapper = dict(optimizer=dict(lr=0.01))
