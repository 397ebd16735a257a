# s1x, 1.44 times 90,000 iterations: SGD at 0.02 for 16 images a step, warm-up over 500, a tenth of
# the rate after 100,000 and 120,000, validation every 10,000. Numbers as in Detectron. The config
# must also count iterations in its checkpoint hook and log processor.
train_cfg = dict(type="IterBasedTrainLoop", max_iters=130000, val_interval=10000)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.02, momentum=0.9, weight_decay=0.0001),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(
        type="MultiStepLR",
        by_epoch=False,
        begin=0,
        end=130000,
        milestones=[100000, 120000],
        gamma=0.1,
    ),
]

# the batch that lr is meant for: 8 GPUs x 2 images; --auto-scale-lr scales lr to the real one
auto_scale_lr = dict(enable=False, base_batch_size=16)
