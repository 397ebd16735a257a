import os
import signal

import pytest

from mmdet_lite.engine import init_launcher, stopped_by_sigterm


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
