# Keypoint R-CNN R-50 FPN as Detectron2 runs it, for its model zoo's weights: BGR around the mean,
# strides on the 1x1 convolutions, as many samples in a bin as it is pixels long, Pillow's resizing.
_base_ = "../keypoint_rcnn/keypoint-rcnn_r50_fpn_1x_coco.py"

model = dict(
    data_preprocessor=dict(mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(norm_cfg=dict(requires_grad=False), style="caffe", init_cfg=None),
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=dict(sampling_ratio=0)),
        keypoint_roi_extractor=dict(roi_layer=dict(sampling_ratio=0)),
    ),
)
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(1333, 800), keep_ratio=True, backend="pillow"),
    dict(type="LoadAnnotations", with_bbox=True, with_keypoints=True, keypoint_offset=0.5),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
