# Faster R-CNN R-50 C4 on VOC 2007 and 2012 as Detectron2 runs it, for its model zoo's weights:
# images are resized by Pillow, which smooths where it makes them smaller.
_base_ = "../pascal_voc/faster-rcnn_r50-caffe-c4_ms-18k_voc0712.py"

model = dict(backbone=dict(init_cfg=None), roi_head=dict(shared_head=dict(init_cfg=None)))
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(1333, 800), keep_ratio=True, backend="pillow"),
    *_base_.test_pipeline[2:],
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
