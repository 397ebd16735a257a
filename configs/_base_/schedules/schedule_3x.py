# 36 epochs: SGD at 0.02 for 16 images a step, warm-up over 500 iterations,
# a tenth of the rate after epochs 28 and 34. Numbers as in MMDetection 3.3.
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=36, val_interval=1)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.02, momentum=0.9, weight_decay=0.0001),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=36, milestones=[28, 34], gamma=0.1),
]

# the batch that lr is meant for: 8 GPUs x 2 images; --auto-scale-lr scales lr to the real one
auto_scale_lr = dict(enable=False, base_batch_size=16)
