# As coco_ssd300.py, squeezed to 512 x 512.
_base_ = "./coco_ssd300.py"

train_pipeline = _base_.train_pipeline
train_pipeline[4].scale = (512, 512)
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = (512, 512)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
