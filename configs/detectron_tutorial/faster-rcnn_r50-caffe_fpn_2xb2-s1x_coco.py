# Detectron's s1x schedule (the first rate longer) on 2 GPUs of 2 images: rate 1/4, iterations x 4.
_base_ = "./faster-rcnn_r50-caffe_fpn_8xb2-s1x_coco.py"

optim_wrapper = dict(optimizer=dict(lr=0.005))
train_cfg = dict(max_iters=520000, val_interval=10000)
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = 520000
param_scheduler[1].milestones = [400000, 480000]
default_hooks = dict(checkpoint=dict(interval=10000))
auto_scale_lr = dict(base_batch_size=4)
