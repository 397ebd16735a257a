from pathlib import Path

import pytest
from mmengine.config import Config

from mmdet_lite.config import load_config
from mmdet_lite.config.detectron import read_settings, translate
from mmdet_lite.registry import TASK_UTILS

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
TUTORIAL = CONFIGS / "detectron_tutorial"
R50 = "https://dl.fbaipublicfiles.com/detectron/ImageNetPretrained/MSRA/R-50.pkl"


def yaml_text(sections: dict) -> str:
    """Sections of keys as YAML in the manner of Detectron's files."""
    lines = []
    for section, keys in sections.items():
        if isinstance(keys, dict):
            lines += [f"{section}:", *(f"  {key}: {value}" for key, value in keys.items())]
        else:
            lines.append(f"{section}: {keys}")
    return "\n".join(lines) + "\n"


def faster_rcnn(gpus: int = 8, **changes: dict) -> dict:
    """Detectron's 12_2017 baseline, with ``changes`` of sections."""
    times = 8 // gpus
    sections = {
        "MODEL": {
            "TYPE": "generalized_rcnn",
            "CONV_BODY": "FPN.add_fpn_ResNet50_conv5_body",
            "NUM_CLASSES": 81,
            "FASTER_RCNN": True,
        },
        "NUM_GPUS": gpus,
        "SOLVER": {
            "WEIGHT_DECAY": 0.0001,
            "LR_POLICY": "steps_with_decay",
            "BASE_LR": 0.02 / times,
            "GAMMA": 0.1,
            "MAX_ITER": 90000 * times,
            "STEPS": [0, 60000 * times, 80000 * times],
        },
        "FPN": {"FPN_ON": True, "MULTILEVEL_ROIS": True, "MULTILEVEL_RPN": True},
        "FAST_RCNN": {
            "ROI_BOX_HEAD": "fast_rcnn_heads.add_roi_2mlp_head",
            "ROI_XFORM_METHOD": "RoIAlign",
            "ROI_XFORM_RESOLUTION": 7,
            "ROI_XFORM_SAMPLING_RATIO": 2,
        },
        "TRAIN": {
            "WEIGHTS": R50,
            "DATASETS": "('coco_2014_train', 'coco_2014_valminusminival')",
            "SCALES": "(800,)",
            "MAX_SIZE": 1333,
            "BATCH_SIZE_PER_IM": 512,
            "RPN_PRE_NMS_TOP_N": 2000,
        },
        "TEST": {
            "DATASETS": "('coco_2014_minival',)",
            "SCALE": 800,
            "MAX_SIZE": 1333,
            "NMS": 0.5,
            "RPN_PRE_NMS_TOP_N": 1000,
            "RPN_POST_NMS_TOP_N": 1000,
        },
        "OUTPUT_DIR": ".",
    }
    return changed(sections, changes)


def changed(sections: dict, changes: dict) -> dict:
    return sections | {
        name: {**sections.get(name, {}), **value} if isinstance(value, dict) else value
        for name, value in changes.items()
    }


MASK = {
    "MODEL": {"MASK_ON": True},
    "MRCNN": {
        "ROI_MASK_HEAD": "mask_rcnn_heads.mask_rcnn_fcn_head_v1up4convs",
        "RESOLUTION": 28,
        "ROI_XFORM_RESOLUTION": 14,
        "ROI_XFORM_SAMPLING_RATIO": 2,
        "DILATION": 1,
        "CONV_INIT": "MSRAFill",
    },
}


@pytest.fixture
def convert(tmp_path):
    """From sections to (config as mmengine reads it, text, problems)."""

    def run(sections: dict):
        source = tmp_path / "file.yaml"
        source.write_text(yaml_text(sections))
        text, problems = translate(read_settings(source), CONFIGS, tmp_path)
        (tmp_path / "file.py").write_text(text)
        return Config.fromfile(str(tmp_path / "file.py")), text, problems

    return run


def anchor_centers(model: Config) -> list[float]:
    """Where the first anchors of each level are centred, in strides."""
    head = model.get("rpn_head") or model.get("bbox_head")
    if not head:
        return []
    grid = TASK_UTILS.build(head.anchor_generator)
    return [
        round((float(box[0]) + float(box[2])) / 2 / stride[0], 4)
        for boxes, stride in zip(grid.base_anchors, grid.strides, strict=True)
        for box in boxes
    ]


def equal_configs(one: Config, other: Config) -> None:
    ours, theirs = one.to_dict(), other.to_dict()
    for name in ("weights",):  # a variable of the base, no setting
        ours.pop(name, None)
        theirs.pop(name, None)
    assert ours.keys() == theirs.keys()
    for key in ours:
        assert ours[key] == theirs[key], key


@pytest.mark.parametrize("gpus", [1, 2, 4, 8])
def test_yaml_of_the_baseline_gives_the_config_of_that_many_gpus(convert, gpus):
    config, _, problems = convert(faster_rcnn(gpus))
    name = f"faster-rcnn_r50-caffe_fpn_{gpus}xb2-1x_coco.py"
    equal_configs(config, Config.fromfile(str(TUTORIAL / name)))
    assert problems == ()


@pytest.mark.parametrize("gpus", [1, 2, 4, 8])
def test_yaml_of_the_stretched_schedule_gives_the_config_of_that_many_gpus(convert, gpus):
    times = 8 // gpus
    solver = {"MAX_ITER": 130000 * times, "STEPS": [0, 100000 * times, 120000 * times]}
    config, _, _ = convert(faster_rcnn(gpus, SOLVER=solver))
    name = f"faster-rcnn_r50-caffe_fpn_{gpus}xb2-s1x_coco.py"
    equal_configs(config, Config.fromfile(str(TUTORIAL / name)))


@pytest.mark.parametrize("gpus", [1, 2, 4, 8])
def test_yaml_of_the_tutorial_gives_the_config_of_that_many_gpus(convert, gpus):
    rate, end, steps = {
        1: (0.0025, 60000, [0, 30000, 40000]),
        2: (0.005, 30000, [0, 15000, 20000]),
        4: (0.01, 15000, [0, 7500, 10000]),
        8: (0.02, 7500, [0, 3750, 5000]),
    }[gpus]
    sections = faster_rcnn(
        gpus,
        SOLVER={"BASE_LR": rate, "MAX_ITER": end, "STEPS": steps},
        TRAIN={
            "DATASETS": "('coco_2014_train',)",
            "SCALES": "(500,)",
            "MAX_SIZE": 833,
            "BATCH_SIZE_PER_IM": 256,
        },
        TEST={"SCALES": "(500,)", "MAX_SIZE": 833},
    )
    del sections["TEST"]["SCALE"]  # the file for one GPU says SCALES
    config, _, problems = convert(sections)
    name = f"faster-rcnn_r50-caffe_fpn_{gpus}xb2-tutorial_coco.py"
    equal_configs(config, Config.fromfile(str(TUTORIAL / name)))
    assert problems == ()


def test_the_tutorials_scale_linearly():
    for schedule in ("1x", "s1x", "tutorial"):
        cfgs = {
            n: Config.fromfile(
                str(TUTORIAL / f"faster-rcnn_r50-caffe_fpn_{n}xb2-{schedule}_coco.py")
            )
            for n in (1, 2, 4, 8)
        }
        for gpus, cfg in cfgs.items():
            assert cfg.optim_wrapper.optimizer.lr == 0.02 * gpus / 8
            assert cfg.train_cfg.max_iters * gpus == cfgs[8].train_cfg.max_iters * 8
            assert cfg.param_scheduler[1].end == cfg.train_cfg.max_iters
            assert [step * gpus // 8 for step in cfg.param_scheduler[1].milestones] == list(
                cfgs[8].param_scheduler[1].milestones
            )
            assert cfg.auto_scale_lr.base_batch_size == gpus * cfg.train_dataloader.batch_size


def test_result_is_short_and_says_the_scaling(convert):
    _, text, _ = convert(faster_rcnn())
    assert len(text.splitlines()) < 50 and max(map(len, text.splitlines())) <= 100
    assert "rate 0.02 is for 16 images a step, 8 GPUs of 2." in text
    assert "num_classes" not in text and "depth" not in text  # as the base has it


@pytest.mark.parametrize(
    ("sections", "check"),
    [
        pytest.param(
            faster_rcnn(**MASK),
            lambda m: (
                m.type == "MaskRCNN"
                and m.roi_head.mask_head.num_convs == 4
                and m.roi_head.mask_roi_extractor.roi_layer.aligned is False
                and m.train_cfg.rcnn.assigner.match_low_quality is False
            ),
            id="mask",
        ),
        pytest.param(
            faster_rcnn(**changed(MASK, {"MRCNN": {"CLS_SPECIFIC_MASK": False}})),
            lambda m: m.roi_head.mask_head.class_agnostic is True,
            id="class-agnostic-mask",
        ),
        pytest.param(
            faster_rcnn(
                **changed(
                    MASK,
                    {
                        "MODEL": {"CONV_BODY": "ResNet.add_ResNet101_conv4_body"},
                        "FPN": {"FPN_ON": False},
                        "TRAIN": {"FREEZE_AT": 5},
                        "RPN": {"SIZES": "(32, 64, 128, 256, 512)"},
                        "FAST_RCNN": {
                            "ROI_BOX_HEAD": "ResNet.add_ResNet_roi_conv5_head",
                            "ROI_XFORM_RESOLUTION": 14,
                        },
                        "MRCNN": {
                            "ROI_MASK_HEAD": "mask_rcnn_heads.mask_rcnn_fcn_head_v0upshare",
                            "RESOLUTION": 14,
                        },
                    },
                )
            ),
            lambda m: (
                m.backbone.depth == m.roi_head.shared_head.depth == 101
                and m.backbone.frozen_stages == 3
                and m.rpn_head.anchor_generator.scales == [2, 4, 8, 16, 32]
                and m.train_cfg.rcnn.mask_size == 14
                and m.roi_head.bbox_roi_extractor.roi_layer.output_size == 14
            ),
            id="c4-mask",
        ),
        pytest.param(
            faster_rcnn(
                MODEL={"CONV_BODY": "FPN.add_fpn_ResNet101_conv5_body"},
                RESNETS={"NUM_GROUPS": 32, "WIDTH_PER_GROUP": 8, "STRIDE_1X1": False},
            ),
            lambda m: (
                (m.backbone.type, m.backbone.depth, m.backbone.groups, m.backbone.base_width)
                == ("ResNeXt", 101, 32, 8)
                and m.backbone.style == "pytorch"
            ),
            id="resnext",
        ),
        pytest.param(
            faster_rcnn(
                RESNETS={"TRANS_FUNC": "bottleneck_gn_transformation", "STRIDE_1X1": False},
                FPN={"USE_GN": True},
                FAST_RCNN={"ROI_BOX_HEAD": "fast_rcnn_heads.add_roi_Xconv1fc_gn_head"},
                TRAIN={"WEIGHTS": ""},
            ),
            lambda m: (
                m.backbone.norm_cfg.type == m.neck.norm_cfg.type == "GN"
                and m.roi_head.bbox_head.type == "Shared4Conv1FCBBoxHead"
                and m.roi_head.bbox_head.norm_cfg.num_groups == 32
                and m.backbone.init_cfg is None
                and m.backbone.frozen_stages == -1
                and m.backbone.norm_eval is False
            ),
            id="gn-from-scratch",
        ),
        pytest.param(
            faster_rcnn(
                MODEL={"FASTER_RCNN": False, "RPN_ONLY": True, "NUM_CLASSES": 2},
                TEST={"RPN_POST_NMS_TOP_N": 2000},
            ),
            lambda m: (
                m.type == "RPN"
                and m.test_cfg.rpn.max_per_img == 2000
                and m.backbone.style == "caffe"
                and m.data_preprocessor.bgr_to_rgb is False
            ),
            id="rpn",
        ),
        pytest.param(
            faster_rcnn(MODEL={"FASTER_RCNN": False}),
            lambda m: m.type == "FastRCNN" and "rpn" not in m.train_cfg,
            id="fast",
        ),
        pytest.param(
            faster_rcnn(
                MODEL={"FASTER_RCNN": False, "TYPE": "retinanet"},
                FPN={"RPN_MAX_LEVEL": 7, "RPN_MIN_LEVEL": 3, "COARSEST_STRIDE": 128},
                RETINANET={"RETINANET_ON": True, "LOSS_GAMMA": 1.5, "ASPECT_RATIOS": "(1, 2, 0.5)"},
                TRAIN={"RPN_STRADDLE_THRESH": 0},  # not read there: all anchors are taken
            ),
            lambda m: (
                m.type == "RetinaNet"
                and m.bbox_head.loss_cls.gamma == 1.5
                and m.bbox_head.loss_bbox.beta == 0.11
                and m.bbox_head.anchor_generator.ratios == [0.5, 1.0, 2.0]
                and m.data_preprocessor.pad_size_divisor == 128
                and m.train_cfg.allowed_border == -1
            ),
            id="retinanet",
        ),
        pytest.param(
            faster_rcnn(
                MODEL={"KEYPOINTS_ON": True, "NUM_CLASSES": 2},
                KRCNN={
                    "ROI_KEYPOINTS_HEAD": "keypoint_rcnn_heads.add_roi_pose_head_v1convX",
                    "NUM_STACKED_CONVS": 8,
                    "NUM_KEYPOINTS": 17,
                    "USE_DECONV_OUTPUT": True,
                    "CONV_HEAD_DIM": 512,
                    "UP_SCALE": 2,
                    "ROI_XFORM_RESOLUTION": 14,
                    "ROI_XFORM_SAMPLING_RATIO": 2,
                    "NORMALIZE_BY_VISIBLE_KEYPOINTS": False,
                    "LOSS_WEIGHT": 4.0,
                },
                TRAIN={"DATASETS": "('keypoints_coco_2014_train',)"},
            ),
            lambda m: (
                m.type == "KeypointRCNN"
                and m.roi_head.bbox_head.num_classes == 1
                and m.roi_head.keypoint_head.loss_keypoints_per_img == 512 * 0.25 * 17
                and m.roi_head.keypoint_head.loss_keypoint.loss_weight == 4.0
            ),
            id="keypoint",
        ),
        pytest.param(
            faster_rcnn(
                FAST_RCNN={"ROI_XFORM_METHOD": "RoIPoolF"},
                TEST={"SOFT_NMS": "{ENABLED: True, SIGMA: 0.3, METHOD: gaussian}"},
                MODEL={"CLS_AGNOSTIC_BBOX_REG": True, "BBOX_REG_WEIGHTS": "(1., 1., 1., 1.)"},
            ),
            lambda m: (
                m.roi_head.bbox_roi_extractor.roi_layer == {"type": "RoIPool", "output_size": 7}
                and m.test_cfg.rcnn.nms.type == "soft_nms"
                and m.test_cfg.rcnn.nms.sigma == 0.3
                and m.roi_head.bbox_head.reg_class_agnostic is True
                and m.roi_head.bbox_head.bbox_coder.target_stds == [1.0, 1.0, 1.0, 1.0]
            ),
            id="pool-soft-nms-agnostic",
        ),
        pytest.param(
            faster_rcnn(
                MODEL={"CONV_BODY": "ResNet.add_ResNet50_conv5_body"},
                FPN={"FPN_ON": False},
                RESNETS={"RES5_DILATION": 2},
            ),
            lambda m: tuple(m.backbone.dilations) == (1, 1, 1, 2),
            id="dc5",
        ),
    ],
)
def test_every_kind_of_model_is_translated_and_checked(tmp_path, convert, sections, check):
    config, _, problems = convert(sections)
    assert check(config.model)
    assert problems == ()
    assert set(anchor_centers(config.model)) <= {0.5}
    load_config(tmp_path / "file.py", check=True)


@pytest.mark.parametrize(
    ("path", "center"),
    [
        *((path, 0.5) for path in sorted((CONFIGS / "detectron").glob("*.py"))),
        *((path, 0.5) for path in sorted(TUTORIAL.glob("*.py"))),
        *((path, 0.0) for path in sorted((CONFIGS / "detectron2").glob("*.py"))),
    ],
    ids=lambda value: getattr(value, "stem", None),
)
def test_detectrons_anchors_are_centred_in_their_cells_detectron2s_at_their_corners(path, center):
    model = Config.fromfile(str(path)).model
    assert set(anchor_centers(model)) == (set() if model.type == "FastRCNN" else {center})


def test_rpn_baselines_with_a_pyramid_keep_2000_proposals_of_1000_a_level():
    for path in (CONFIGS / "detectron").glob("rpn_*_fpn_detectron.py"):
        test_cfg = Config.fromfile(str(path)).model.test_cfg.rpn
        assert (test_cfg.nms_pre, test_cfg.max_per_img) == (1000, 2000)


def test_names_of_detectron_pytorch_are_understood(convert):
    config, _, problems = convert(
        faster_rcnn(
            MODEL={"CONV_BODY": "FPN.fpn_ResNet50_conv5_body"},
            FAST_RCNN={"ROI_BOX_HEAD": "fast_rcnn_heads.roi_2mlp_head"},
            RESNETS={
                "IMAGENET_PRETRAINED_WEIGHTS": "data/pretrained_model/resnet50_caffe.pth",
                "FREEZE_AT": 3,
            },
            TRAIN={"WEIGHTS": ""},
            SOLVER={"BIAS_DOUBLE_LR": False, "TYPE": "SGD"},
        )
    )
    assert config.model.backbone.init_cfg.checkpoint.endswith("resnet50_caffe.pth")
    assert config.model.backbone.frozen_stages == 2
    assert config.optim_wrapper.paramwise_cfg == {"bias_decay_mult": 0.0}
    assert problems == ()


def test_number_of_classes_that_the_file_leaves_to_its_data_is_the_bases(convert):
    sections = faster_rcnn(**MASK)
    for section, key in (("MODEL", "NUM_CLASSES"), ("TRAIN", "DATASETS"), ("TEST", "DATASETS")):
        del sections[section][key]
    config, _, _ = convert(sections)
    assert config.model.roi_head.bbox_head.num_classes == 80
    assert config.model.roi_head.mask_head.num_classes == 80
    retina = {"RETINANET": {"RETINANET_ON": True}, "MODEL": {"MASK_ON": False}}
    levels = {"FPN": {"RPN_MAX_LEVEL": 7, "RPN_MIN_LEVEL": 3, "COARSEST_STRIDE": 128}}
    config, _, _ = convert(changed(sections, retina | levels))
    assert config.model.bbox_head.num_classes == 80


def test_solver_policies_give_the_same_rates(convert):
    by_size = faster_rcnn(SOLVER={"LR_POLICY": "step", "STEP_SIZE": 40000})
    assert convert(by_size)[0].param_scheduler[1].milestones == [40000, 80000]
    rates = {"LR_POLICY": "steps_with_lrs", "LRS": "[0.02, 0.002, 0.0002]"}
    assert convert(faster_rcnn(SOLVER=rates))[0].param_scheduler[1].gamma == pytest.approx(0.1)
    constant = {"WARM_UP_METHOD": "constant", "WARM_UP_FACTOR": 0.5, "WARM_UP_ITERS": 100}
    warm_up = convert(faster_rcnn(SOLVER=constant))[0].param_scheduler[0]
    assert (warm_up.type, warm_up.factor, warm_up.end) == ("ConstantLR", 0.5, 100)
    assert len(convert(faster_rcnn(SOLVER={"WARM_UP_ITERS": 0}))[0].param_scheduler) == 1


def test_defaults_are_detectrons_where_the_file_is_silent(convert):
    sections = faster_rcnn()
    for section, key in (("TEST", "NMS"), ("TRAIN", "BATCH_SIZE_PER_IM"), ("TEST", "SCALE")):
        del sections[section][key]
    config, _, _ = convert(sections)
    assert config.model.test_cfg.rcnn.nms.iou_threshold == 0.3
    assert config.model.train_cfg.rcnn.sampler.num == 64
    assert config.test_pipeline[1].scale == (1333, 600)
    assert config.test_dataloader.dataset.pipeline[1].scale == (1333, 600)


def test_scale_jitter_flip_and_images_a_gpu_reach_the_data(convert):
    train = {
        "SCALES": "(640, 800)",
        "USE_FLIPPED": False,
        "IMS_PER_BATCH": 1,
        "ASPECT_GROUPING": False,
    }
    config, text, _ = convert(faster_rcnn(TRAIN=train))
    steps = config.train_dataloader.dataset.pipeline
    assert [step.type for step in steps] == [
        "LoadImageFromFile",
        "LoadAnnotations",
        "RandomChoiceResize",
        "PackDetInputs",
    ]
    assert steps[2].scales == [(1333, 640), (1333, 800)]
    assert config.train_dataloader.batch_size == 1 and config.train_dataloader.batch_sampler is None
    assert config.auto_scale_lr.base_batch_size == 8
    assert "rate 0.02 is for 8 images a step" in text


def test_aspect_cropping_follows_the_resize(convert):
    config, _, problems = convert(
        faster_rcnn(TRAIN={"ASPECT_CROPPING": True, "ASPECT_HI": 3, "ASPECT_LO": 0.4})
    )
    steps = config.train_dataloader.dataset.pipeline
    types = [step.type for step in steps]
    assert types[types.index("Resize") + 1] == "AspectCrop" and types.count("AspectCrop") == 1
    assert (steps[3].aspect_lo, steps[3].aspect_hi) == (0.4, 3)
    assert "AspectCrop" not in [step.type for step in config.test_dataloader.dataset.pipeline]
    assert not any("ASPECT" in problem for problem in problems)
    config, _, problems = convert(faster_rcnn(TRAIN={"ASPECT_CROPPING": False, "ASPECT_HI": 3}))
    assert "AspectCrop" not in [step.type for step in config.train_dataloader.dataset.pipeline]
    assert not any("ASPECT" in problem for problem in problems)


def test_weights_of_a_detector_become_load_from(convert):
    old = "https://s3-us-west-2.amazonaws.com/detectron/35857345/a/model_final.pkl"
    config, _, _ = convert(faster_rcnn(TRAIN={"WEIGHTS": old}))
    assert config.load_from == "https://dl.fbaipublicfiles.com/detectron/35857345/a/model_final.pkl"
    assert config.model.backbone.init_cfg is None and config.model.backbone.frozen_stages == 1


def test_what_is_not_translated_is_listed_with_file_and_key(convert):
    _, text, problems = convert(
        faster_rcnn(
            MODEL={"FOO_BAR": 1},
            TRAIN={"FREEZE_CONV_BODY": True, "BATCHSIZE_PER_IM": 3, "DATASETS": "('my_train',)"},
            TEST={"BBOX_AUG": "{ENABLED: True, H_FLIP: True}", "PROPOSAL_FILES": "('a.pkl',)"},
        )
    )
    listed = "\n".join(problems)
    assert len(problems) == 6
    for part in (
        "file.yaml: TRAIN.FREEZE_CONV_BODY = True: not translated, here it is always False",
        "TRAIN.BATCHSIZE_PER_IM = 3: not a key of Detectron, did you mean TRAIN.BATCH_SIZE_PER_IM?",
        "TEST.BBOX_AUG.ENABLED = True: not translated, here it is always False (test with --tta)",
        "TEST.PROPOSAL_FILES = ('a.pkl',): not translated (set val_dataloader",
        "TRAIN.DATASETS = ['my_train']: not translated (set train_dataloader.dataset",
    ):
        assert part in listed
    assert any(line.endswith("MODEL.FOO_BAR = 1: not a key of Detectron") for line in problems)
    assert all(f"#   {problem}" in text for problem in problems)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        (
            MASK | {"MRCNN": {k: v for k, v in MASK["MRCNN"].items() if k != "DILATION"}},
            "MRCNN.DILATION = 2, the default: not translated, here it is always 1",
        ),
        ({"FPN": {"EXTRA_CONV_LEVELS": True}}, "EXTRA_CONV_LEVELS = True: not translated"),
        ({"RESNETS": {"WIDTH_PER_GROUP": 128}}, "WIDTH_PER_GROUP = 128: not translated"),
        (
            {
                "MODEL": {"CONV_BODY": "ResNet.add_ResNet50_conv4_body"},
                "FPN": {"FPN_ON": False},
                "FAST_RCNN": {"ROI_BOX_HEAD": "ResNet.add_ResNet_roi_conv5_head"},
            },
            "ROI_XFORM_RESOLUTION = 7: not translated",
        ),
        (
            {
                "MODEL": {"KEYPOINTS_ON": True, "NUM_CLASSES": 2},
                "KRCNN": {
                    "ROI_KEYPOINTS_HEAD": "keypoint_rcnn_heads.roi_pose_head_v1convX",
                    "NUM_KEYPOINTS": 17,
                },
            },
            "KRCNN.USE_DECONV_OUTPUT = False, the default: not translated",
        ),
    ],
)
def test_keys_that_others_bring_to_bear_are_listed(convert, changes, part):
    problems = convert(faster_rcnn(**changes))[2]
    assert len(problems) == 1 and part in problems[0]


def test_key_without_effect_for_group_norm_is_not_listed(convert):
    assert convert(faster_rcnn(RESNETS={"USE_GN": True}))[2] == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"MODEL": {"CONV_BODY": "VGG16.add_VGG16_conv5_body"}}, "MODEL.CONV_BODY='VGG16"),
        ({"FPN": {"FPN_ON": False}}, "CONV_BODY=.* with FPN.FPN_ON=False"),
        ({"FAST_RCNN": {"ROI_BOX_HEAD": "x.add_y"}}, "ROI_BOX_HEAD='x.add_y'.*roi_2mlp_head"),
        ({"FAST_RCNN": {"ROI_XFORM_METHOD": "PSRoI"}}, "ROI_XFORM_METHOD='PSRoI'"),
        ({"SOLVER": {"LR_POLICY": "cosine"}}, "LR_POLICY='cosine'.*steps_with_decay"),
        ({"MODEL": {"FASTER_RCNN": False, "MASK_ON": True}}, "set MODEL.FASTER_RCNN: True"),
        ({"FPN": {"RPN_MAX_LEVEL": 5}}, "RPN_MAX_LEVEL=5"),
        ({"FPN": {"ROI_MIN_LEVEL": 3}}, "ROI_MIN_LEVEL=3"),
        ({"SOLVER": {"BASE_LR": "fast"}}, "SOLVER.BASE_LR must be a float like 0.001, got 'fast'"),
        ({"MODEL": {"MASK_ON": 1}}, "MODEL.MASK_ON must be a bool"),
        ({"SOLVER": {"LR_POLICY": "steps_with_lrs", "LRS": "[0.02, 0.01, 0.001]"}}, "same factor"),
    ],
)
def test_models_that_are_not_here_are_refused_with_key_and_choice(convert, changes, message):
    with pytest.raises(ValueError, match=rf"file\.yaml: .*{message}"):
        convert(faster_rcnn(**changes))


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.yaml"
    with pytest.raises(FileNotFoundError, match="no YAML file"):
        read_settings(path)
    path.write_text("_BASE_: Base-RCNN-FPN.yaml\nMODEL: {MASK_ON: true}\n")
    with pytest.raises(ValueError, match="is a file of Detectron2"):
        read_settings(path)
    path.write_text("just text")
    with pytest.raises(ValueError, match="expected keys such as MODEL"):
        read_settings(path)
    path.write_text("a: [1,\nb: }")
    with pytest.raises(ValueError, match="is no YAML file"):
        read_settings(path)
    path.write_text("MODEL: !!python/object/apply:os.system ['true']")
    with pytest.raises(ValueError, match="is no YAML file"):
        read_settings(path)
