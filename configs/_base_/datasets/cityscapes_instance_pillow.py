# As cityscapes_instance.py, images for testing resized by Pillow as Detectron2 does: it
# smooths where it makes them smaller.
_base_ = "./cityscapes_instance.py"

test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(2048, 1024), keep_ratio=True, backend="pillow"),
    *_base_.test_pipeline[2:],
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
