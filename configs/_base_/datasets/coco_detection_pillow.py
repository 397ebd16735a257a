# As coco_detection.py, images for testing resized by Pillow as Detectron2 does: it
# smooths where it makes them smaller.
_base_ = "./coco_detection.py"

test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(1333, 800), keep_ratio=True, backend="pillow"),
    *_base_.test_pipeline[2:],
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
