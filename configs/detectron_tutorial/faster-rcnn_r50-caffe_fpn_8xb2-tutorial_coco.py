# Detectron's tutorial on 8 GPUs of 2 images: a short training on small pictures, rate 0.02.
_base_ = [
    "../_base_/models/faster-rcnn_r50-caffe_fpn_detectron.py",
    "../_base_/datasets/coco_detection_500px-2014.py",
    "../_base_/schedules/schedule_tutorial_detectron.py",
    "../_base_/default_runtime.py",
]

model = dict(train_cfg=dict(rcnn=dict(sampler=dict(num=256))))
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=2500))
log_processor = dict(by_epoch=False)
