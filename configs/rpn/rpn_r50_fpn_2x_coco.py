# RPN, ResNet-50 FPN, 24 epochs on COCO.
_base_ = [
    "../_base_/models/rpn_r50_fpn.py",
    "../_base_/datasets/coco_detection.py",
    "../_base_/schedules/schedule_2x.py",
    "../_base_/default_runtime.py",
]

val_evaluator = dict(metric="proposal_fast")
test_evaluator = val_evaluator
