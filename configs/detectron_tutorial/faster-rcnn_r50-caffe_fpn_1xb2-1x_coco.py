# Detectron's 1x baseline on 1 GPU of 2 images: rate 1/8, iterations x 8.
_base_ = "./faster-rcnn_r50-caffe_fpn_8xb2-1x_coco.py"

optim_wrapper = dict(optimizer=dict(lr=0.0025))
train_cfg = dict(max_iters=720000, val_interval=20000)
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = 720000
param_scheduler[1].milestones = [480000, 640000]
default_hooks = dict(checkpoint=dict(interval=20000))
auto_scale_lr = dict(base_batch_size=2)
