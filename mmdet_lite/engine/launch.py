"""Starting the process group, and stopping on a signal."""

import os
import signal
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from mmengine.dist import init_dist, is_distributed

# what each launcher calls rank, rank within the machine, and number of processes
RANK_VARIABLES = {
    "pytorch": ("RANK", "LOCAL_RANK", "WORLD_SIZE"),
    "slurm": ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS"),
    "mpi": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_SIZE"),
}
STARTED_BY = {
    "pytorch": "tools/dist_train.sh or torchrun",
    "slurm": "tools/slurm_train.sh or srun",
    "mpi": "mpirun",
}


def init_launcher(launcher: str, dist_cfg: Mapping[str, Any] | None = None) -> None:
    """Join the other processes: NCCL on GPUs as the config says, gloo where there are none.

    Args:
        launcher: none, pytorch, slurm or mpi; none does nothing.
        dist_cfg: ``env_cfg.dist_cfg``: backend, timeout in seconds, port.

    Raises:
        ValueError: if the launcher's environment variables are missing, or a machine has more
            processes than GPUs.
    """
    if launcher == "none" or is_distributed():
        return
    names = RANK_VARIABLES[launcher]
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise ValueError(
            f"--launcher {launcher} needs the environment variables {', '.join(missing)}: start "
            f"through {STARTED_BY[launcher]}, or leave --launcher out for a single process"
        )
    # mmengine gives an argument that torch 2.15 calls deprecated; its replacement is newer than 2.4
    warnings.filterwarnings("ignore", ".*broadcast_buffers", FutureWarning)
    settings = dict(dist_cfg or {})
    gpus, local_rank = torch.cuda.device_count(), int(os.environ[names[1]])
    if torch.cuda.is_available() and settings.get("backend", "nccl") != "gloo":
        if local_rank >= gpus:
            raise ValueError(
                f"process {local_rank} of this machine has no GPU, there are {gpus}: start at "
                f"most {gpus} processes here, or CUDA_VISIBLE_DEVICES=-1 to train on the CPU"
            )
        init_dist(launcher, **settings)
        return
    for name, variable in zip(("RANK", "LOCAL_RANK", "WORLD_SIZE"), names, strict=True):
        os.environ[name] = os.environ[variable]
    os.environ.setdefault("MASTER_ADDR", _first_host(launcher))
    os.environ.setdefault("MASTER_PORT", str(settings.get("port", 29500)))
    timeout = settings.get("timeout")
    extra: dict[str, Any] = {} if timeout is None else {"timeout": timedelta(seconds=timeout)}
    torch.distributed.init_process_group("gloo", **extra)


def fit_device(cfg: Any, launcher: str) -> None:
    """Without a GPU: gloo in place of NCCL, and a data-parallel wrapper without device numbers.

    Args:
        cfg: a whole config; changed in place.
        launcher: as in ``init_launcher``.
    """
    if torch.cuda.is_available() or launcher == "none":
        return
    env = dict(cfg.get("env_cfg") or {})
    cfg.env_cfg = {**env, "dist_cfg": {**(env.get("dist_cfg") or {}), "backend": "gloo"}}
    given = cfg.get("model_wrapper_cfg") or {
        "broadcast_buffers": False,
        "find_unused_parameters": cfg.get("find_unused_parameters", False),
    }
    cfg.model_wrapper_cfg = {"type": "MMDistributedDataParallel", **given, "device_ids": None}


def leave_process_group() -> None:
    """Leave the process group, if there is one."""
    if is_distributed():
        torch.distributed.destroy_process_group()


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM in this block raises ``KeyboardInterrupt('SIGTERM')``, so that files are closed.

    The signal often reaches a whole process group; that loader workers died of it too is then no
    error of its own.
    """
    received = False

    def stop(number: int, frame: Any) -> None:
        nonlocal received
        received = True
        raise KeyboardInterrupt("SIGTERM")

    former = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except RuntimeError as error:
        if received:
            raise KeyboardInterrupt("SIGTERM") from error
        raise
    finally:
        signal.signal(signal.SIGTERM, former)


def _first_host(launcher: str) -> str:
    nodes = os.environ.get("SLURM_NODELIST")
    if launcher != "slurm" or nodes is None:
        return "127.0.0.1"
    command = ["scontrol", "show", "hostname", nodes]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]
