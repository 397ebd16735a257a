# RetinaNet R-50 FPN as Detectron2 runs it, for its model zoo's weights: like MMDetection's caffe
# models; only images are resized by Pillow, which smooths where it makes them smaller.
# A ReLU stands between its two extra levels.
_base_ = [
    "../_base_/models/retinanet_r50-caffe_fpn.py",
    "../_base_/datasets/coco_detection.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(init_cfg=None),
    neck=dict(relu_before_extra_convs=True),
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(1333, 800), keep_ratio=True, backend="pillow"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
