# COCO 2017 with people's keypoints: images with at least one labelled joint, the short side one of
# 640, 672 ... 800, as in Detectron's keypoint baselines; batch of 2 per GPU.
dataset_type = "CocoDataset"
data_root = "data/coco/"
backend_args = None
# COCO counts pixels, boxes and joints here are continuous: its pixels' centres are half further
keypoint_offset = 0.5

train_pipeline = [
    dict(type="LoadImageFromFile", backend_args=backend_args),
    dict(
        type="LoadAnnotations",
        with_bbox=True,
        with_keypoints=True,
        keypoint_offset=keypoint_offset,
    ),
    dict(
        type="RandomChoiceResize",
        scales=[(1333, short) for short in range(640, 801, 32)],
        keep_ratio=True,
    ),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackDetInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile", backend_args=backend_args),
    dict(type="Resize", scale=(1333, 800), keep_ratio=True),
    # annotations are loaded to be drawn beside the predictions; leave out where there are none
    dict(
        type="LoadAnnotations",
        with_bbox=True,
        with_keypoints=True,
        keypoint_offset=keypoint_offset,
    ),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    batch_sampler=dict(type="AspectRatioBatchSampler"),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file="annotations/person_keypoints_train2017.json",
        data_prefix=dict(img="train2017/"),
        filter_cfg=dict(filter_empty_gt=True, min_size=32, min_keypoints=1),
        pipeline=train_pipeline,
        backend_args=backend_args,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file="annotations/person_keypoints_val2017.json",
        data_prefix=dict(img="val2017/"),
        test_mode=True,
        pipeline=test_pipeline,
        backend_args=backend_args,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(
    type="CocoMetric",
    ann_file=data_root + "annotations/person_keypoints_val2017.json",
    metric=["bbox", "keypoints"],
    keypoint_offset=keypoint_offset,
    format_only=False,
    backend_args=backend_args,
)
test_evaluator = val_evaluator
