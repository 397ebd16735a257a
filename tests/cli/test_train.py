import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mmdet_lite.cli import train
from mmdet_lite.cli.front_door import interruption, run_command
from mmdet_lite.cli.stopped import go_on_text

ENGINE_TESTS = Path(__file__).resolve().parents[1] / "engine"
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def one_thread():
    """A forked process can only compute if this one has not started threads for that."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A function that writes a toy config and returns its path; the work dir is ``tmp/run``."""
    monkeypatch.syspath_prepend(str(ENGINE_TESTS))
    monkeypatch.chdir(tmp_path)
    from toy_training import write_toy_config

    def write(name="toy.py", **changes):
        return write_toy_config(tmp_path / name, tmp_path / "run", **changes)

    return write


def weights(path):
    return torch.load(path)["state_dict"]


def test_config_goes_in_and_checkpoints_come_out(toy, tmp_path, capsys):
    assert train.main([toy()]) == 0
    err = capsys.readouterr().err
    assert "last checkpoint: run/epoch_2.pth" in err
    assert "best checkpoint: run/best_toy_mAP" in err and "logs: run/" in err
    assert (tmp_path / "run" / "toy.py").is_file()


def test_checks_and_best_checkpoint_are_on_without_being_asked_for(toy, capsys):
    config = toy(
        custom_hooks=[],
        default_hooks__checkpoint={"type": "CheckpointHook", "interval": 1, "_delete_": True},
        model__spoil_at=6,
    )
    assert train.main([config]) == 3
    assert "loss_fit = nan" in capsys.readouterr().err
    assert len(list(Path("run").glob("best_*"))) == 1


def test_interrupted_run_without_a_seed_resumes_to_the_same_weights(toy):
    config = toy(randomness={"seed": None})
    assert train.main([config, "--work-dir", "parts"]) == 0
    longer = ["--cfg-options", "train_cfg.max_epochs=4"]
    assert train.main([config, "--work-dir", "parts", "--resume", *longer]) == 0
    seed = torch.load("parts/epoch_2.pth")["meta"]["seed"]
    seeded = [*longer, f"randomness.seed={seed}"]
    assert train.main([config, "--work-dir", "whole", *seeded]) == 0
    whole, parts = weights("whole/epoch_4.pth"), weights("parts/epoch_4.pth")
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_finished_run_is_not_repeated_and_says_what_to_raise(toy, capsys):
    config = toy()
    train.main([config])
    before = Path("run/epoch_2.pth").stat().st_mtime_ns
    assert train.main([config, "--resume"]) == 0
    assert "finished, at 2 of 2 epochs" in capsys.readouterr().err
    assert train.main([config, "--resume", "--cfg-options", "train_cfg.max_epochs=1"]) == 0
    assert "train_cfg.max_epochs=3)" in capsys.readouterr().err  # more than the two done
    assert Path("run/epoch_2.pth").stat().st_mtime_ns == before


def test_broken_newest_checkpoint_is_passed_over_and_said(toy, capsys):
    config = toy()
    train.main([config])
    newest = Path("run/epoch_2.pth")
    newest.write_bytes(newest.read_bytes()[:-30])
    assert train.main([config, "--resume"]) == 0
    err = capsys.readouterr().err
    assert (
        "passed over" in err
        and "epoch_2.pth" in err
        and "resuming from run/epoch_1.pth" in (err.replace(str(Path.cwd()) + "/", ""))
    )
    assert torch.load(newest)["meta"]["epoch"] == 2


def test_new_training_does_not_mix_with_an_earlier_one(toy, capsys):
    config = toy()
    assert train.main([config]) == 0
    before = {path.name: path.stat().st_mtime_ns for path in Path("run").glob("*.pth")}
    capsys.readouterr()
    for argv in ([config], [config, "--load-from", "run/epoch_1.pth"]):
        assert train.main(argv) == 2
        err = capsys.readouterr().err
        assert "earlier training (best_toy_mAP" in err
        assert "add --resume" in err and "--work-dir ANOTHER_FOLDER" in err
    assert {path.name: path.stat().st_mtime_ns for path in Path("run").glob("*.pth")} == before


def test_work_dir_that_an_early_failure_left_is_used_again(toy):
    assert train.main([toy(), "--cfg-options", "model.spoil_at=1"]) == 3
    assert train.main([toy()]) == 0


def test_settings_changed_at_resuming_are_listed_with_what_holds(toy, capsys):
    config = toy()
    train.main([config])
    capsys.readouterr()
    options = ["optim_wrapper.optimizer.lr=0.1", "train_cfg.max_epochs=3", "randomness.seed=1"]
    assert train.main([config, "--resume", "--amp", "--cfg-options", *options]) == 0
    err = capsys.readouterr().err
    assert "optim_wrapper.optimizer.lr: 0.01 -> 0.1; 0.01 stays" in err
    assert "optim_wrapper.type: OptimWrapper -> AmpOptimWrapper\n" in err
    assert "train_cfg.max_epochs: 2 -> 3\n" in err
    assert "randomness.seed=1 is not used: the checkpoint's seed 7 goes on" in err
    assert torch.load("run/epoch_3.pth")["optimizer"]["param_groups"][0]["initial_lr"] == 0.01
    assert train.main([config, "--resume", "--cfg-options", "train_cfg.max_epochs=4"]) == 0


def test_resuming_with_the_same_settings_lists_none(toy, capsys):
    config = toy(auto_scale_lr__base_batch_size=16)
    train.main([config, "--auto-scale-lr"])
    Path("run/last_validation").unlink()  # so that it goes on at once
    capsys.readouterr()
    assert train.main([config, "--auto-scale-lr", "--resume"]) == 0
    assert "differ from those" not in capsys.readouterr().err


@pytest.mark.parametrize("workers", [0, 1])
def test_unreadable_picture_in_training_is_said_as_text_with_how_to_go_on(toy, capsys, workers):
    Path("images").mkdir()
    Path("images/6.jpg").write_text("no picture")
    data = {"type": "ToyDataset", "break_at": 6}
    config = toy(train_dataloader__dataset=data, train_dataloader__num_workers=workers)
    assert train.main([config, "--no-validate", "--cfg-options", "custom_hooks=[]"]) == 2
    err = capsys.readouterr().err
    last = err[err.index("mmdet-lite train: training stopped after") :]
    assert "image 'images/6.jpg' cannot be read" in last and "Traceback" not in last
    assert "epoch_1.pth in " in last
    assert f" train {config} --no-validate --cfg-options 'custom_hooks=[]' --resume" in last


def test_full_disk_is_said_with_the_file_and_the_earlier_ones_stay(toy, capsys, monkeypatch):
    from mmdet_lite.checkpoint import save

    def full(path):
        if "epoch_2" in path.name:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(save, "_flush", full)
    assert train.main([toy()]) == 2
    err = capsys.readouterr().err
    assert "epoch_2.pth: No space left on device" in err and "MB free" in err
    assert "epoch_1.pth in " in err and "--resume" in err


def test_fault_of_the_program_keeps_its_traceback(toy):
    config = toy(train_dataloader__dataset={"type": "ToyDataset", "bug_at": 6})
    text = r"stopped after \d+ iterations: KeyError: no such key\n.* --resume"
    with pytest.raises(RuntimeError, match=text):
        train.main([config])


def test_nothing_saved_yet_advises_no_resume():
    args = train.parse_args(["c.py"])
    assert "start again with the same command" in go_on_text(args, "nowhere")


def test_constructors_refusal_is_given_with_its_dotted_key(toy, capsys):
    assert train.main([toy(), "--cfg-options", "model.width=wide"]) == 2
    err = capsys.readouterr().err
    assert "mmdet-lite train: model: " in err and "toy.py)" in err
    assert train.main([toy(), "--cfg-options", "train_dataloader.dataset.length=x"]) == 2
    assert "train_dataloader.dataset: " in capsys.readouterr().err


def test_work_dir_that_cannot_be_is_refused(toy, capsys, tmp_path):
    (tmp_path / "file").write_text("x")
    for folder, why in (("file", "a file has that name"), ("/proc/1/foo", "cannot be made")):
        assert train.main([toy(), "--work-dir", folder]) == 2
        err = capsys.readouterr().err
        assert why in err and "another one with --work-dir" in err and "Traceback" not in err


def test_load_from_is_read_before_anything_is_built(toy, capsys):
    Path("README.md").write_text("# text")
    Path("empty.pth").write_bytes(b"")
    config = toy(model={"type": "ToyModel", "width": "never built"})
    for name, part in (("README.md", "is no checkpoint"), ("empty.pth", "cut off at 0 bytes")):
        assert train.main([config, "--load-from", name]) == 2
        err = capsys.readouterr().err
        assert name in err and part in err


def test_nothing_to_resume_is_an_error(toy, capsys):
    assert train.main([toy(), "--resume"]) == 2
    assert "nothing to resume" in capsys.readouterr().err
    assert not list(Path("run").glob("*.pth"))


def test_missing_files_are_errors_with_the_nearest_name(toy, capsys):
    config = toy()
    for argv, part in (
        ([config, "--resume", "epoch_9.pth"], "no checkpoint file epoch_9.pth"),
        ([config, "--load-from", "toy.pth"], "nearest names there: toy.py"),
        (["toi.py"], "toy.py"),
    ):
        assert train.main(argv) == 2
        err = capsys.readouterr().err
        assert part in err and "Traceback" not in err


def test_debug_variable_shows_the_traceback(toy, capsys, monkeypatch):
    monkeypatch.setenv("MMDET_LITE_DEBUG", "1")
    assert train.main([toy(), "--resume"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_older_spellings_work_and_are_said_with_the_new_ones(toy, capsys):
    config = toy()
    train.main([config])
    capsys.readouterr()
    argv = [config, "--resume-from", "run/epoch_1.pth", "--options", "train_cfg.max_epochs=2"]
    assert train.main([*argv, "--gpus", "1"]) == 0
    err = capsys.readouterr().err
    assert err.count("--resume-from run/epoch_1.pth is now --resume run/epoch_1.pth") == 1
    assert err.count("--options is now --cfg-options") == 1
    with pytest.raises(SystemExit) as caught:
        train.main([config, "--gpus", "8"])
    assert caught.value.code == 2 and "dist_train.sh CONFIG 8" in capsys.readouterr().err


def test_unknown_flags_and_contradictions_are_refused(toy, capsys):
    for argv, part in (
        (["c.py", "--work-dri", "x"], "did you mean --work-dir?"),
        (["c.py", "--resume", "--load-from", "x"], "give one of them"),
    ):
        with pytest.raises(SystemExit) as caught:
            train.main(argv)
        assert caught.value.code == 2 and part in capsys.readouterr().err
    assert train.main([toy(), "--cfg-options", "train_cfg"]) == 2
    assert "'train_cfg' is not KEY=VALUE" in capsys.readouterr().err


def test_amp_trains_in_half_precision_and_knows_what_it_cannot_change(toy, capsys):
    assert train.main([toy(), "--amp"]) == 0
    assert "loss_scaler" in torch.load("run/epoch_2.pth")["optimizer"]
    already = toy("amp.py", optim_wrapper__type="AmpOptimWrapper")
    assert train.main([already, "--amp", "--work-dir", "already"]) == 0
    assert "uses AmpOptimWrapper already" in capsys.readouterr().err
    args = train.parse_args(["c.py", "--amp"])
    from mmengine.config import Config

    other = Config({"optim_wrapper": {"type": "OptimWrapperDict"}})
    with pytest.raises(ValueError, match="got 'OptimWrapperDict'"):
        train.apply_flags(other, args)
    assert "work_dir" not in other


def test_learning_rate_is_scaled_once_also_from_the_kept_config(toy, capsys):
    config = toy(auto_scale_lr__base_batch_size=16)
    assert train.main([config]) == 0
    assert "WARNING: the learning rate 0.01 was chosen for 16 images" in capsys.readouterr().err
    assert train.main([config, "--auto-scale-lr", "--work-dir", "scaled"]) == 0
    assert "LR 0.00125 = 0.01 * 2/16" in capsys.readouterr().err
    assert torch.load("scaled/epoch_2.pth")["optimizer"]["param_groups"][0]["initial_lr"] == 0.00125
    longer = ["--resume", "--cfg-options", "train_cfg.max_epochs=3"]
    assert train.main([config, "--auto-scale-lr", "--work-dir", "scaled", *longer]) == 0
    resumed = torch.load("scaled/epoch_3.pth")["optimizer"]["param_groups"][0]
    assert resumed["initial_lr"] == 0.00125 and resumed["lr"] <= 0.00125
    capsys.readouterr()
    assert train.main(["scaled/toy.py", "--auto-scale-lr", "--work-dir", "again"]) == 0
    assert "LR 0.00125 = 0.00125 * 2/2" in capsys.readouterr().err


def test_no_validate_trains_without_a_validation(toy):
    assert train.main([toy(), "--no-validate"]) == 0
    assert sorted(path.name for path in Path("run").glob("*.pth")) == ["epoch_1.pth", "epoch_2.pth"]


def test_work_dir_is_the_flag_then_the_config_then_the_file_name():
    from mmengine.config import Config

    for flags, cfg, expected in (
        (["--work-dir", "w"], {"work_dir": "c"}, "w"),
        ([], {"work_dir": "c"}, "c"),
        ([], {}, "./work_dirs/net"),
    ):
        args = train.parse_args(["dir/net.py", *flags])
        assert train.apply_flags(Config(cfg), args).work_dir == expected


def process(rank, port, argv):
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in names.items()})
    os.environ["MASTER_ADDR"] = "127.0.0.1"
    torch.set_num_threads(1)
    os._exit(train.main([*argv, "--launcher", "pytorch"]))


def two_processes(argv):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = [FORK.Process(target=process, args=(rank, port, argv)) for rank in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    return [child.exitcode for child in children]


def test_two_processes_train_and_resume_to_the_same_weights(toy, one_thread):
    config = toy(train_dataloader__dataset__length=9, val_dataloader__dataset__length=9)
    longer = ["--cfg-options", "train_cfg.max_epochs=4"]
    assert two_processes([config, "--work-dir", "parts"]) == [0, 0]
    assert two_processes([config, "--work-dir", "parts", "--resume", *longer]) == [0, 0]
    assert two_processes([config, "--work-dir", "whole", *longer]) == [0, 0]
    whole, parts = weights("whole/epoch_4.pth"), weights("parts/epoch_4.pth")
    assert all(torch.equal(whole[key], parts[key]) for key in whole)
    meta = torch.load("parts/epoch_4.pth")["meta"]
    assert len(meta["random_states"]) == 2 and meta["iter"] == 4 * 3


def test_sigterm_stops_cleanly_and_says_how_to_go_on(toy, one_thread):
    config = toy(epochs=500, model__step_seconds=0.02)

    def child():
        with open("err.txt", "w", buffering=1) as sys.stderr:
            status = train.main([config])
        os._exit(status)

    running = FORK.Process(target=child)
    running.start()
    deadline = time.monotonic() + 60
    while not Path("run/epoch_1.pth").is_file():
        if not running.is_alive() or time.monotonic() > deadline:
            running.kill()
            pytest.fail(f"no checkpoint to stop behind: {Path('err.txt').read_text()}")
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGTERM)
    running.join(30)
    assert running.exitcode == 143
    text = Path("err.txt").read_text()
    assert "stopped by SIGTERM" in text
    assert text.split("to go on: ")[1].splitlines()[0].endswith("toy.py --resume")
    assert not list(Path("run").glob("*.writing"))
    assert all(torch.load(path) for path in Path("run").glob("*.pth"))


def test_interruption_is_found_behind_the_error_that_it_caused(capsys):
    def work():
        try:
            raise KeyboardInterrupt("SIGTERM")
        finally:
            raise RuntimeError("the file's end is not where it should be")

    assert run_command("train", work) == 143
    assert "stopped by SIGTERM" in capsys.readouterr().err
    assert interruption(ValueError()) is None


def test_help_imports_nothing_slow():
    code = (
        "import sys\n"
        "from mmdet_lite.cli import train, test\n"
        "for main in (train.main, test.main):\n"
        "    try:\n        main(['--help'])\n    except SystemExit as done:\n"
        "        assert done.code == 0\n"
        "assert not {'torch', 'mmengine', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--auto-scale-lr" in done.stdout and "--show-dir" in done.stdout


def test_config_without_training_data_is_told(toy, capsys):
    assert train.main([toy(), "--cfg-options", "train_dataloader=None"]) == 2
    assert "has no train_dataloader: nothing to train with" in capsys.readouterr().err
