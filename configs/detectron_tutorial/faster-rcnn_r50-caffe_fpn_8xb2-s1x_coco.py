# Detectron's s1x schedule (the first rate longer) on 8 GPUs of 2 images.
_base_ = "./faster-rcnn_r50-caffe_fpn_8xb2-1x_coco.py"

train_cfg = dict(max_iters=130000)
param_scheduler = [
    dict(type="LinearLR", start_factor=1 / 3, by_epoch=False, begin=0, end=500),
    dict(
        type="MultiStepLR",
        by_epoch=False,
        begin=0,
        end=130000,
        milestones=[100000, 120000],
        gamma=0.1,
    ),
]
