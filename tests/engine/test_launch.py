import os
import signal

import pytest
import torch

from mmdet_lite.engine import fit_device, init_launcher, stopped_by_sigterm


@pytest.mark.parametrize(
    ("launcher", "variable", "script"),
    [
        ("pytorch", "RANK", "dist_train.sh"),
        ("slurm", "SLURM_PROCID", "slurm_train.sh"),
        ("mpi", "OMPI_COMM_WORLD_RANK", "mpirun"),
    ],
)
def test_launcher_without_its_variables_says_how_to_start(monkeypatch, launcher, variable, script):
    for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=rf"(?s){variable}.*{script}"):
        init_launcher(launcher)


def test_none_starts_nothing():
    init_launcher("none", {"backend": "nccl"})


def test_sigterm_raises_inside_the_block_only():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), stopped_by_sigterm():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    assert signal.getsignal(signal.SIGTERM) is before


def test_workers_that_died_of_the_same_sigterm_are_no_error_of_their_own():
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), stopped_by_sigterm():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            raise RuntimeError("DataLoader worker is killed by signal: Terminated") from None


def test_other_errors_pass_through_the_sigterm_block():
    with pytest.raises(RuntimeError, match="boom"), stopped_by_sigterm():
        raise RuntimeError("boom")


def test_cpu_processes_use_gloo_and_a_wrapper_without_devices(monkeypatch):
    from mmengine.config import Config

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cfg = Config({"env_cfg": {"dist_cfg": {"backend": "nccl"}}, "find_unused_parameters": True})
    fit_device(cfg, "pytorch")
    assert cfg.env_cfg.dist_cfg.backend == "gloo"
    assert cfg.model_wrapper_cfg.device_ids is None
    assert cfg.model_wrapper_cfg.find_unused_parameters is True
    single = Config({})
    fit_device(single, "none")
    assert "model_wrapper_cfg" not in single
