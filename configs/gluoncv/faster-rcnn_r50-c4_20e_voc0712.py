# Faster R-CNN, ResNet-50 without a pyramid (C4), as GluonCV trains it on VOC 2007 and 2012: short
# side 600, flips alone, one image a step, 20 epochs. GluonCV also trains on difficult objects,
# which are left out here.
_base_ = [
    "../_base_/models/faster-rcnn_r50-caffe-c4.py",
    "../_base_/datasets/voc0712.py",
    "../_base_/schedules/schedule_20e.py",
    "../_base_/default_runtime.py",
]

init_cfg = dict(type="Pretrained", checkpoint="torchvision://resnet50")
model = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(style="pytorch", init_cfg=init_cfg),
    rpn_head=dict(loss_bbox=dict(type="SmoothL1Loss", beta=1 / 9)),
    roi_head=dict(
        shared_head=dict(style="pytorch", init_cfg=init_cfg),
        bbox_head=dict(num_classes=20, loss_bbox=dict(type="SmoothL1Loss", beta=1.0)),
    ),
    train_cfg=dict(rcnn=dict(sampler=dict(num=128))),
    test_cfg=dict(rpn=dict(max_per_img=300), rcnn=dict(nms=dict(iou_threshold=0.3))),
)

# every object counts, however small, and the set once an epoch
datasets = [
    dict(
        type={{_base_.dataset_type}},
        data_root={{_base_.data_root}},
        ann_file=f"{year}/ImageSets/Main/trainval.txt",
        data_prefix=dict(sub_data_root=f"{year}/"),
        pipeline={{_base_.train_pipeline}},
        backend_args={{_base_.backend_args}},
    )
    for year in ("VOC2007", "VOC2012")
]
train_dataloader = dict(batch_size=1, dataset=dict(times=1, dataset=dict(datasets=datasets)))

optim_wrapper = dict(
    optimizer=dict(lr=0.001, weight_decay=0.0005),
    clip_grad=dict(type="value", clip_value=5),
)
# the second decay comes with the end; it counts where max_epochs is raised
param_scheduler = [
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=20, milestones=[14, 20], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=1)
