# Mask R-CNN, ResNet-50 FPN, large-scale jitter (Ghiasi 2021): images scaled by 0.1 to 2 and cut
# to 1024 x 1024, batch 64, mixed precision; 25 rounds over a set repeated 4 times.
_base_ = [
    "../_base_/models/mask-rcnn_r50_fpn.py",
    "../_base_/datasets/coco_instance_lsj.py",
    "../_base_/schedules/schedule_lsj.py",
    "../_base_/default_runtime.py",
]

model = dict(
    data_preprocessor=dict(
        batch_augments=[dict(type="BatchFixedSizePad", size=(1024, 1024), pad_mask=True)]
    )
)
train_dataloader = dict(batch_size=8, num_workers=4)
optim_wrapper = dict(type="AmpOptimWrapper", optimizer=dict(lr=0.08))
default_hooks = dict(checkpoint=dict(max_keep_ckpts=2))
