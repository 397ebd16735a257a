# 120 epochs as 24 of a set that counts 5 times: SGD at 0.002 for 64 images a step, warm-up over
# 500 iterations, a tenth of the rate after epochs 16 and 22. Numbers as in MMDetection 3.3.
_base_ = "./schedule_2x.py"

optim_wrapper = dict(optimizer=dict(lr=0.002, weight_decay=0.0005))
custom_hooks = [
    dict(type="NumClassCheckHook"),
    dict(type="CheckInvalidLossHook", interval=50, priority="VERY_LOW"),
]

# the batch that lr is meant for: 8 GPUs x 8 images; --auto-scale-lr scales lr to the real one
auto_scale_lr = dict(base_batch_size=64)
