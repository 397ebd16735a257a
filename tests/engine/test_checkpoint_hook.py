import pytest
import torch
from mmengine.registry import HOOKS, OPTIM_WRAPPERS
from toy_training import run

from mmdet_lite import __version__, engine
from mmdet_lite.checkpoint import load_checkpoint_file
from mmdet_lite.engine.hooks import checkpoint_hook


def test_configs_that_name_mmengines_classes_get_ours():
    for name in ("CheckpointHook", "CheckInvalidLossHook", "NumClassCheckHook"):
        assert type(HOOKS.build({"type": name})) is getattr(engine, name)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1)
    amp = OPTIM_WRAPPERS.build({"type": "AmpOptimWrapper", "optimizer": optimizer})
    assert type(amp) is engine.AmpOptimWrapper


def test_every_file_loads_with_torchs_defaults_and_says_what_it_is(tmp_path):
    run(tmp_path, epochs=2)
    files = sorted(path.name for path in tmp_path.glob("*.pth"))
    assert files[1:] == ["epoch_1.pth", "epoch_2.pth"] and files[0].startswith("best_toy_mAP_epoch")
    for name in files:
        checkpoint = torch.load(tmp_path / name)
        meta = checkpoint["meta"]
        assert meta["dataset_meta"] == {"classes": ("disc", "ring")}
        assert meta["mmdet_lite_version"] == __version__ and "ToyModel" in meta["cfg"]
        assert meta["seed"] == 7 and len(meta["random_states"]) == 1
    assert "optimizer" not in torch.load(tmp_path / files[0])
    assert (tmp_path / "last_checkpoint").read_text() == "epoch_2.pth"


def test_plugged_in_schedule_with_functions_in_its_state_is_saved(tmp_path):
    one_cycle = [{"type": "OneCycleLR", "eta_max": 0.1, "total_steps": 8, "by_epoch": False}]
    run(tmp_path, epochs=2, param_scheduler=one_cycle)
    run(tmp_path, epochs=2, param_scheduler=one_cycle, resume=True)
    assert torch.load(tmp_path / "epoch_2.pth")["param_schedulers"][0]["last_step"] == 7


def test_old_file_stays_if_the_new_one_cannot_be_written(tmp_path, monkeypatch):
    flushed = checkpoint_hook.atomic_path

    def full_disk(path):
        if "epoch_2" in path.name:
            raise OSError("No space left on device")
        return flushed(path)

    monkeypatch.setattr(checkpoint_hook, "atomic_path", full_disk)
    with pytest.raises(OSError, match="No space left"):
        run(tmp_path, epochs=3, default_hooks__checkpoint__max_keep_ckpts=1)
    assert "optimizer" in load_checkpoint_file(str(tmp_path / "epoch_1.pth"))
    assert (tmp_path / "last_checkpoint").read_text() == "epoch_1.pth"


@pytest.mark.parametrize("kept", [1, 2])
def test_only_the_newest_are_kept(tmp_path, kept):
    run(
        tmp_path,
        epochs=4,
        default_hooks__checkpoint__max_keep_ckpts=kept,
        default_hooks__checkpoint__save_best=None,
    )
    names = sorted(path.name for path in tmp_path.glob("*.pth"))
    assert names == [f"epoch_{epoch}.pth" for epoch in range(5 - kept, 5)]


def test_best_file_follows_the_score(tmp_path):
    scores = {"type": "ToyMetric", "scores": [1.0, 3.0, 2.0]}
    run(tmp_path, epochs=3, val_evaluator=scores)
    assert [path.name for path in tmp_path.glob("best_*")] == ["best_toy_mAP_epoch_2.pth"]
    hub = torch.load(tmp_path / "epoch_2.pth")["message_hub"]["runtime_info"]
    assert hub["best_score"] == 3.0


def test_two_best_metrics_have_a_file_each(tmp_path):
    run(
        tmp_path,
        epochs=1,
        default_hooks__checkpoint__save_best=["toy/mAP", "toy/images"],
        default_hooks__checkpoint__rule=["less", "greater"],
    )
    names = sorted(path.name for path in tmp_path.glob("best_*"))
    assert names == ["best_toy_images_epoch_1.pth", "best_toy_mAP_epoch_1.pth"]


@pytest.mark.parametrize("key", ["pascal_voc/AP50", "pascal_voc/recall@100@0.5"])
def test_the_best_of_vocs_numbers_is_the_highest(key):
    assert engine.CheckpointHook(save_best=key).rules == ["greater"]


def test_unknown_best_metric_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(ValueError, match=r"save_best='toy/map' .* nearest: 'toy/mAP'"):
        run(
            tmp_path,
            epochs=1,
            default_hooks__checkpoint={
                "type": "CheckpointHook",
                "interval": 1,
                "save_best": "toy/map",
                "rule": "greater",
            },
        )


def test_metric_that_can_tell_its_names_is_asked_before_training(tmp_path, monkeypatch):
    from toy_training import ToyMetric

    monkeypatch.setattr(ToyMetric, "result_names", lambda self: ["toy/mAP"], raising=False)
    monkeypatch.setattr(ToyMetric, "compute_metrics", None)  # nothing is validated
    with pytest.raises(ValueError, match=r"save_best='toy/map' .* nearest: 'toy/mAP'"):
        run(tmp_path, epochs=1, default_hooks__checkpoint__save_best="toy/map")


def test_an_evaluator_that_renames_its_numbers_is_asked_in_place_of_its_metrics(
    tmp_path, monkeypatch
):
    from mmengine.evaluator import Evaluator
    from toy_training import ToyMetric

    monkeypatch.setattr(ToyMetric, "compute_metrics", None)  # nothing is validated
    monkeypatch.setattr(Evaluator, "result_names", lambda self: ["a/toy/mAP"], raising=False)
    with pytest.raises(ValueError, match=r"save_best='toy/mAP' .* nearest: 'a/toy/mAP'"):
        run(tmp_path, epochs=1, default_hooks__checkpoint__save_best="toy/mAP")


@pytest.mark.parametrize("key", ["cityscapes/AP@50", "b/cityscapes/mAP", "b/coco/segm_mAP_50"])
def test_the_best_of_a_sources_numbers_is_the_highest(key):
    assert engine.CheckpointHook(save_best=key).rules == ["greater"]


def test_spoilt_weights_are_not_written(tmp_path):
    with pytest.raises(FloatingPointError, match=r"weight linear\.weight .*is not written"):
        run(tmp_path, epochs=2, model__spoil_at=8, model__spoil="weights")
    assert sorted(path.name for path in tmp_path.glob("epoch_*")) == ["epoch_1.pth"]


def test_published_file_has_only_the_published_keys(tmp_path):
    run(
        tmp_path,
        epochs=1,
        default_hooks__checkpoint={
            "type": "CheckpointHook",
            "interval": 1,
            "published_keys": ["meta", "state_dict"],
        },
    )
    (published,) = tmp_path.glob("epoch_1-*.pth")
    assert set(torch.load(published)) == {"meta", "state_dict"}


def test_leftover_of_a_killed_run_is_removed(tmp_path):
    (tmp_path / "epoch_9.pth.writing").write_text("half")
    run(tmp_path, epochs=1)
    assert not list(tmp_path.glob("*.writing"))


def test_unknown_argument_and_remote_store_are_refused():
    with pytest.raises(TypeError, match="no argument 'max_keep_ckpt'; nearest: 'max_keep_ckpts'"):
        engine.CheckpointHook(interval=1, max_keep_ckpt=3)
    with pytest.raises(ValueError, match="local folder"):
        engine.CheckpointHook(interval=1, backend_args={"backend": "petrel"})
