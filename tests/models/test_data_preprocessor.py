"""Batches against normalisation written out by hand."""

import numpy as np
import pytest
import torch

from mmdet_lite.models.data_preprocessor import BatchFixedSizePad, DetDataPreprocessor

MEAN, STD = [123.0, 116.0, 103.0], [58.0, 57.0, 56.0]


def by_hand(image, swap):
    image = image.float().flip(0) if swap else image.float()
    return (image - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


@pytest.mark.parametrize("swap", [{}, {"bgr_to_rgb": True}, {"rgb_to_bgr": True}])
def test_images_are_normalised_then_padded_to_a_common_size(swap):
    images = [torch.randint(0, 256, (3, h, w), dtype=torch.uint8) for h, w in ((30, 50), (41, 20))]
    copies = [x.clone() for x in images]
    step = DetDataPreprocessor(MEAN, STD, pad_size_divisor=32, pad_value=7, **swap)
    batch = step({"inputs": images})
    assert batch["data_samples"] is None
    inputs = batch["inputs"]
    assert inputs.shape == (2, 3, 64, 64) and inputs.dtype == torch.float32
    for padded, image in zip(inputs, images, strict=True):
        _, h, w = image.shape
        assert torch.allclose(padded[:, :h, :w], by_hand(image, bool(swap)), atol=1e-6)
        assert (padded[:, h:] == 7).all() and (padded[:, :, w:] == 7).all()
    assert all(torch.equal(a, b) for a, b in zip(images, copies, strict=True))


def test_without_mean_pixels_keep_their_values():
    image = torch.randint(0, 256, (3, 5, 6), dtype=torch.uint8)
    assert torch.equal(DetDataPreprocessor()({"inputs": [image]})["inputs"][0], image.float())


def test_one_tensor_is_a_batch_too():
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    assert DetDataPreprocessor(MEAN, STD)({"inputs": images})["inputs"].shape == (2, 3, 8, 8)


def test_sizes_are_written_into_the_metainfo(make_sample):
    samples = [make_sample([], (30, 50)), make_sample([], (70, 20))]
    batch = {key: [s[key] for s in samples] for key in samples[0]}
    out = DetDataPreprocessor(MEAN, STD, pad_size_divisor=32)(batch)
    metas = [s.metainfo for s in out["data_samples"]]
    assert [m["batch_input_shape"] for m in metas] == [(96, 64), (96, 64)]
    assert [m["pad_shape"] for m in metas] == [(32, 64), (96, 32)]
    assert [m["img_shape"] for m in metas] == [(30, 50), (70, 20)]


def test_mask_frames_grow_with_the_batch_in_training_only(make_sample):
    for training, wanted in ((True, (64, 64)), (False, (30, 50))):
        sample = make_sample([[5, 5, 20, 20]], (30, 50))
        before = sample["data_samples"].gt_instances.masks.to_ndarray()
        batch = {key: [value] for key, value in sample.items()}
        step = DetDataPreprocessor(MEAN, STD, pad_mask=True, pad_size_divisor=64)
        masks = step(batch, training)["data_samples"][0].gt_instances.masks
        assert (masks.height, masks.width) == wanted
        assert np.array_equal(masks.to_ndarray()[:, :30, :50], before)


def test_it_adds_no_keys_to_checkpoints():
    assert list(DetDataPreprocessor(MEAN, STD).state_dict()) == []


def test_fixed_size_padding_grows_small_batches_and_leaves_large_ones(make_sample):
    sample = make_sample([[5, 5, 20, 20]], (30, 50))["data_samples"]
    images = torch.ones(1, 3, 30, 50)
    grown, samples = BatchFixedSizePad((64, 40), img_pad_value=3, pad_mask=True)(images, [sample])
    assert grown.shape == (1, 3, 64, 50) and (grown[:, :, 30:] == 3).all()
    assert samples[0].metainfo["batch_input_shape"] == (64, 50)
    assert samples[0].gt_instances.masks.height == 64
    same, _ = BatchFixedSizePad((16, 16))(images, [sample])
    assert same is images


def test_batch_augments_run_in_training_only(make_batch):
    augments = [{"type": "BatchFixedSizePad", "size": (160, 160)}]
    step = DetDataPreprocessor(MEAN, STD, batch_augments=augments)
    assert step(make_batch([[2, 2, 9, 9]]), True)["inputs"].shape[-2:] == (160, 160)
    assert step(make_batch([[2, 2, 9, 9]]), False)["inputs"].shape[-2:] == (96, 128)


@pytest.mark.parametrize(
    ("args", "error", "said"),
    [
        ({"bgr_to_rgb": True, "rgb_to_bgr": True}, ValueError, "exclude each other"),
        ({"mean": MEAN}, ValueError, "give mean and std together"),
        ({"mean": ["a"], "std": [1]}, TypeError, r"data_preprocessor\.mean: expected numbers"),
        ({"pad_seg": True}, ValueError, "pad_seg .* not available"),
        ({"mask_pad_value": 1}, ValueError, "mask_pad_value other than 0"),
    ],
)
def test_wrong_arguments_are_refused(args, error, said):
    with pytest.raises(error, match=said):
        DetDataPreprocessor(**args)


def test_images_of_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"images have 1 channels, data_preprocessor.mean has 3"):
        DetDataPreprocessor(MEAN, STD)({"inputs": [torch.zeros(1, 5, 5, dtype=torch.uint8)]})
