# Mask R-CNN, ResNet-50 FPN, large-scale jitter (Ghiasi 2021), batch 64, mixed precision; 25 rounds
# over a set repeated 4 times.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn.py",
    "../_base_/datasets/coco_instance_lsj.py",
    "../_base_/schedules/schedule_lsj.py",
    "../_base_/default_runtime.py",
]

augment = dict(type="BatchFixedSizePad", size=(1024, 1024), pad_mask=True)
model = dict(data_preprocessor=dict(batch_augments=[augment]))
