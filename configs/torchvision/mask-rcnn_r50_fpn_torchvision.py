# Mask R-CNN as torchvision runs maskrcnn_resnet50_fpn; see faster-rcnn_r50_fpn_torchvision.py.
# Besides: masks are pasted into boxes of whole pixels.
_base_ = "../mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py"

one_sided = dict(add_ctr_clamp=True, ctr_clamp=1e9)
model = dict(
    backbone=dict(
        # eps 0 is that of the COCO weights; with weights of your own training it is 1e-5
        norm_cfg=dict(type="BN", requires_grad=False, eps=0.0),
        init_cfg=None,
    ),
    rpn_head=dict(
        anchor_generator=dict(
            _delete_=True,
            type="TorchvisionAnchorGenerator",
            strides=[4, 8, 16, 32, 64],
            sizes=[[32], [64], [128], [256], [512]],
        ),
        bbox_coder=one_sided,
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=dict(sampling_ratio=2, aligned=False)),
        bbox_head=dict(bbox_coder=one_sided),
        mask_roi_extractor=dict(roi_layer=dict(sampling_ratio=2, aligned=False)),
    ),
    train_cfg=dict(rpn_proposal=dict(max_per_img=2000, min_bbox_size=1e-3)),
    test_cfg=dict(
        rpn=dict(min_bbox_size=1e-3), rcnn=dict(min_bbox_size=1e-2, mask_paste="whole_pixels")
    ),
)
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="TorchvisionResize", min_size=800, max_size=1333),
    dict(type="PackDetInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="TorchvisionResize", min_size=800, max_size=1333),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
