# 20 epochs of AdamW at 0.0005: warm-up over 40 iterations, then down along a cosine; validation
# every 5 epochs. For fine-tuning on a few hundred pictures.
_base_ = "./schedule_light.py"

max_epochs = 20
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=40),
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
