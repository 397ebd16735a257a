# Detectron's 1x baseline on 2 GPUs of 2 images: rate 1/4, iterations x 4.
_base_ = "./faster-rcnn_r50-caffe_fpn_8xb2-1x_coco.py"

optim_wrapper = dict(optimizer=dict(lr=0.005))
train_cfg = dict(max_iters=360000, val_interval=10000)
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = 360000
param_scheduler[1].milestones = [240000, 320000]
default_hooks = dict(checkpoint=dict(interval=10000))
auto_scale_lr = dict(base_batch_size=4)
