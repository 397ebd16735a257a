# Detectron's 1x: 90,000 iterations of 16 images at 0.02, warm-up over 500 from a third, a tenth of
# the rate after 60,000 and 80,000; biases learn twice as fast and do not decay. The config must
# also count iterations in its checkpoint hook and log processor.
_base_ = "./schedule_90k.py"

train_cfg = dict(val_interval=2500)
optim_wrapper = dict(paramwise_cfg=dict(bias_lr_mult=2.0, bias_decay_mult=0.0))
param_scheduler = [
    dict(type="LinearLR", start_factor=1 / 3, by_epoch=False, begin=0, end=500),
    dict(
        type="MultiStepLR", by_epoch=False, begin=0, end=90000, milestones=[60000, 80000], gamma=0.1
    ),
]
