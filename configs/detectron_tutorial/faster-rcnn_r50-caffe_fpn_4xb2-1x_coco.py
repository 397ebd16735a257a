# Detectron's 1x baseline on 4 GPUs of 2 images: rate 1/2, iterations x 2.
_base_ = "./faster-rcnn_r50-caffe_fpn_8xb2-1x_coco.py"

optim_wrapper = dict(optimizer=dict(lr=0.01))
train_cfg = dict(max_iters=180000, val_interval=5000)
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = 180000
param_scheduler[1].milestones = [120000, 160000]
default_hooks = dict(checkpoint=dict(interval=5000))
auto_scale_lr = dict(base_batch_size=8)
