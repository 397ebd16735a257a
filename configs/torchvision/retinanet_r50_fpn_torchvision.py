# RetinaNet as torchvision runs retinanet_resnet50_fpn; see faster-rcnn_r50_fpn_torchvision.py.
# Besides: the extra levels come from the pyramid's last map with a ReLU between them, anchors have
# three whole-numbered sizes a level, and 300 detections remain.
_base_ = [
    "../_base_/models/retinanet_r50_fpn.py",
    "../_base_/datasets/coco_detection.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(
        # eps 0 is that of the COCO weights; with weights of your own training it is 1e-5
        norm_cfg=dict(type="BN", requires_grad=False, eps=0.0),
        init_cfg=None,
    ),
    neck=dict(add_extra_convs="on_output", relu_before_extra_convs=True),
    bbox_head=dict(
        anchor_generator=dict(
            _delete_=True,
            type="TorchvisionAnchorGenerator",
            strides=[8, 16, 32, 64, 128],
            # one third and two thirds of an octave more, rounded down
            sizes=[
                [32, 40, 50],
                [64, 80, 101],
                [128, 161, 203],
                [256, 322, 406],
                [512, 645, 812],
            ],
        ),
        bbox_coder=dict(add_ctr_clamp=True, ctr_clamp=1e9),
    ),
    test_cfg=dict(min_bbox_size=-1, max_per_img=300),
)
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="TorchvisionResize", min_size=800, max_size=1333),
    dict(type="PackDetInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="TorchvisionResize", min_size=800, max_size=1333),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
optim_wrapper = dict(optimizer=dict(lr=0.01))
