# 30 epochs of AdamW for light models: warm-up over 500 iterations, then down along a cosine.
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=30, val_interval=5)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=0.0005, weight_decay=0.05),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=500),
    dict(
        type="CosineAnnealingLR",
        T_max=30,
        eta_min_ratio=0.01,
        begin=0,
        end=30,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]

# the batch that lr is meant for; --auto-scale-lr scales lr to the real one
auto_scale_lr = dict(enable=False, base_batch_size=8)
