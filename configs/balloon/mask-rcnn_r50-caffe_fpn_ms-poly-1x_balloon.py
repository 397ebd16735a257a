# Own data, as in MMDetection's tutorial: Mask R-CNN with ResNet-50 on the balloon set, one class,
# 12 epochs. A set of your own needs a file like balloon_instance.py, and its num_classes.
_base_ = [
    "../_base_/models/mask-rcnn_r50-caffe_fpn.py",
    "../_base_/datasets/balloon_instance.py",
    "../_base_/schedules/schedule_1x.py",
    "../_base_/default_runtime.py",
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=1), mask_head=dict(num_classes=1)))

# one image a step instead of 16: the rate that goes with it
optim_wrapper = dict(optimizer=dict(lr=0.02 / 16))
auto_scale_lr = dict(base_batch_size=1)

# weights of the same model trained on COCO halve the work; a path or URL goes here
# load_from = "mask_rcnn_r50_caffe_fpn_mstrain-poly_3x_coco.pth"
