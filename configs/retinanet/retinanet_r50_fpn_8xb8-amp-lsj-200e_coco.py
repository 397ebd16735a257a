# RetinaNet, ResNet-50 FPN, large-scale jitter (Ghiasi 2021), batch 64, mixed precision; 25 rounds
# over a set repeated 8 times.
_base_ = [
    "../_base_/models/retinanet_r50_fpn.py",
    "../_base_/datasets/coco_detection_lsj.py",
    "../_base_/schedules/schedule_lsj-detection.py",
    "../_base_/default_runtime.py",
]

augment = dict(type="BatchFixedSizePad", size=(1024, 1024))
model = dict(data_preprocessor=dict(batch_augments=[augment]))
optim_wrapper = dict(optimizer=dict(lr=0.04))
