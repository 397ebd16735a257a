# 18,000 iterations: SGD at 0.02 for 16 images a step, warm-up over 100, a tenth of the rate after
# 12,000 and 16,000, validation every 3,000. Numbers as in MMDetection 3.3. The config must also
# count iterations in its checkpoint hook and log processor.
train_cfg = dict(type="IterBasedTrainLoop", max_iters=18000, val_interval=3000)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.02, momentum=0.9, weight_decay=0.0001),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=100),
    dict(
        type="MultiStepLR", by_epoch=False, begin=0, end=18000, milestones=[12000, 16000], gamma=0.1
    ),
]

# the batch that lr is meant for: 8 GPUs x 2 images; --auto-scale-lr scales lr to the real one
auto_scale_lr = dict(enable=False, base_batch_size=16)
