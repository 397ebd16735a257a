# Own data, as in MMDetection's tutorial: the balloon set, one class, from COCO's configuration.
# tools/dataset_converters/balloon2coco.py writes the annotation files.
_base_ = [
    "../_base_/models/mask-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/coco_instance_ms-poly.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=1), mask_head=dict(num_classes=1)))

data_root = "data/balloon/"
metainfo = dict(classes=("balloon",), palette=[(220, 20, 60)])
train_dataloader = dict(
    batch_size=1,
    dataset=dict(
        data_root=data_root,
        metainfo=metainfo,
        ann_file="train/annotation_coco.json",
        data_prefix=dict(img="train/"),
    ),
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        metainfo=metainfo,
        ann_file="val/annotation_coco.json",
        data_prefix=dict(img="val/"),
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(ann_file=data_root + "val/annotation_coco.json")
test_evaluator = val_evaluator

# one image a step instead of 16: the rate that goes with it
optim_wrapper = dict(optimizer=dict(lr=0.02 / 16))
auto_scale_lr = dict(base_batch_size=1)

# weights of the same model trained on COCO halve the work; a path or URL goes here
# load_from = "mask_rcnn_r50_caffe_fpn_mstrain-poly_3x_coco.pth"
