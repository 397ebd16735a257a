# Detectron's s1x schedule (the first rate longer) on 8 GPUs of 2 images.
_base_ = "./faster-rcnn_r50-caffe_fpn_8xb2-1x_coco.py"

train_cfg = dict(max_iters=130000)
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = 130000
param_scheduler[1].milestones = [100000, 120000]
