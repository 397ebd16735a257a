# Faster R-CNN R-50 DC5 as Detectron2 runs it, for its model zoo's weights: images are resized by
# Pillow, which smooths where it makes them smaller.
_base_ = "../faster_rcnn/faster-rcnn_r50-caffe-dc5_1x_coco.py"

model = dict(backbone=dict(init_cfg=None))
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
