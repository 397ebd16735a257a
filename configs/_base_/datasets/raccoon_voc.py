# As raccoon_detection.py, read from Pascal VOC's files as they come and scored as VOC does.
_base_ = "./raccoon_detection.py"

voc = dict(
    _delete_=True,
    type="VOCDataset",
    data_root={{_base_.data_root}},
    metainfo={{_base_.metainfo}},
    data_prefix=dict(sub_data_root="VOC2007/"),
)
train_dataloader = dict(
    dataset=dict(
        **voc,
        ann_file="VOC2007/ImageSets/Main/trainval.txt",
        filter_cfg=dict(filter_empty_gt=True),
        pipeline={{_base_.train_pipeline}},
    ),
)
val_dataloader = dict(
    dataset=dict(
        **voc,
        ann_file="VOC2007/ImageSets/Main/test.txt",
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(_delete_=True, type="VOCMetric", iou_thrs=[0.5, 0.75], eval_mode="11points")
test_evaluator = val_evaluator
