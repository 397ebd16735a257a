# 20 epochs as GluonCV trains Faster R-CNN on VOC: SGD at 0.001 for one image a step, gradients
# clipped at 5, no warm-up, a tenth of the rate after epoch 14.
_base_ = "./schedule_20e.py"

optim_wrapper = dict(
    optimizer=dict(lr=0.001, weight_decay=0.0005),
    clip_grad=dict(type="value", clip_value=5),
)
# the second decay comes with the end; it counts where max_epochs is raised
param_scheduler = [
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=20, milestones=[14, 20], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=1)
