# 12 epochs as 4 of a set that counts 3 times: SGD at 0.01 for 16 images a step, no warm-up, a tenth
# of the rate after epoch 3. Numbers as in MMDetection 3.3.
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=4, val_interval=1)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=0.0001),
)
param_scheduler = [
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=4, milestones=[3], gamma=0.1),
]

# the batch that lr is meant for: 8 GPUs x 2 images; --auto-scale-lr scales lr to the real one
auto_scale_lr = dict(enable=False, base_batch_size=16)
