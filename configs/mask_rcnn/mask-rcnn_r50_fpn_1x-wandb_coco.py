# Mask R-CNN, ResNet-50 FPN, 12 epochs on COCO, logged to Weights & Biases too (pip install wandb).
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn.py",
    "../_base_/datasets/coco_instance.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

vis_backends = [dict(type="LocalVisBackend"), dict(type="WandbVisBackend")]
visualizer = dict(vis_backends=vis_backends)
default_hooks = dict(checkpoint=dict(interval=4))
train_cfg = dict(val_interval=2)
