# 16 epochs of AdamW at 0.001 for 4 images a step: warm-up over 50 iterations, then down along a
# cosine; validation every 4 epochs. For a few dozen pictures and a model that starts from scratch.
_base_ = "./schedule_light.py"

max_epochs = 16
train_cfg = dict(max_epochs=max_epochs, val_interval=4)
optim_wrapper = dict(optimizer=dict(lr=0.001))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type="CosineAnnealingLR",
        T_max=max_epochs,
        eta_min_ratio=0.01,
        begin=0,
        end=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]

# the batch that lr is meant for; --auto-scale-lr scales lr to the real one
auto_scale_lr = dict(base_batch_size=4)
