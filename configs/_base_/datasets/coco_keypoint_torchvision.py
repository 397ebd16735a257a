# As coco_keypoint.py, resized as torchvision's detectors do: short side 800, sizes rounded down.
# Keypoints are taken as they are, not as centres of pixels.
_base_ = "./coco_keypoint.py"

load = dict(type="LoadAnnotations", with_bbox=True, with_keypoints=True, keypoint_offset=0.0)
train_pipeline = [
    dict(type="LoadImageFromFile"),
    load,
    dict(type="RandomFlip", prob=0.5),
    dict(type="TorchvisionResize", min_size=800, max_size=1333),
    dict(type="PackDetInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="TorchvisionResize", min_size=800, max_size=1333),
    load,
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(keypoint_offset=0.0)
test_evaluator = val_evaluator
