# Mask R-CNN R-50 FPN on Cityscapes as Detectron2 runs it, for its model zoo's weights: BGR around
# the mean, strides on the 1x1 convolutions, Pillow's resizing.
_base_ = "../cityscapes/mask-rcnn_r50_fpn_1x_cityscapes.py"

load_from = None
model = dict(
    data_preprocessor=dict(mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(norm_cfg=dict(requires_grad=False), style="caffe", init_cfg=None),
)
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(2048, 1024), keep_ratio=True, backend="pillow"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
