# 25 epochs of a repeated set for large-scale jitter of boxes: as schedule_lsj.py, but warm-up over
# 1,000 iterations. Numbers as in MMDetection 3.3.
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=25, val_interval=5)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

optim_wrapper = dict(
    type="AmpOptimWrapper",
    optimizer=dict(type="SGD", lr=0.08, momentum=0.9, weight_decay=0.00004),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.067, by_epoch=False, begin=0, end=1000),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=25, milestones=[22, 24], gamma=0.1),
]

# the batch that lr is meant for: 8 GPUs x 8 images; --auto-scale-lr scales lr to the real one
auto_scale_lr = dict(enable=False, base_batch_size=64)
