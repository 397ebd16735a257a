# As voc0712.py, one image a step; every object counts, however small, and the set once an epoch.
_base_ = "./voc0712.py"

datasets = [
    dict(
        type={{_base_.dataset_type}},
        data_root={{_base_.data_root}},
        ann_file=f"{year}/ImageSets/Main/trainval.txt",
        data_prefix=dict(sub_data_root=f"{year}/"),
        pipeline={{_base_.train_pipeline}},
        backend_args={{_base_.backend_args}},
    )
    for year in ("VOC2007", "VOC2012")
]
train_dataloader = dict(batch_size=1, dataset=dict(times=1, dataset=dict(datasets=datasets)))
