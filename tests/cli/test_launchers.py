import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmdet_lite.cli.front_door import run_command

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def run(tmp_path):
    """Runs a script with ``python`` and ``srun`` that print how they were called."""
    for name in ("python", "srun"):
        fake = tmp_path / name
        fake.write_text(
            '#!/bin/bash\nif [[ $1 == -c ]]; then echo 45678; else echo "$0" "$@"; '
            'echo "MASTER_PORT=$MASTER_PORT" >&2; fi\n'
        )
        fake.chmod(0o755)

    def call(script, *args, **variables):
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **variables}
        return subprocess.run(
            [TOOLS / script, *args], env=env, capture_output=True, text=True, check=False
        )

    return call


def test_dist_train_starts_torchrun_on_a_free_port(run):
    words = run("dist_train.sh", "c.py", "2", "--amp", "--cfg-options", "a=1 2").stdout.split()
    for word in ("--nproc_per_node=2", "--nnodes=1", "--node_rank=0", "--master_port=45678"):
        assert word in words
    assert words[-7].endswith("tools/train.py") or "train.py" in " ".join(words)
    assert " ".join(words).endswith("c.py --launcher pytorch --amp --cfg-options a=1 2")


def test_several_machines_share_address_and_port(run):
    out = run(
        "dist_test.sh", "c.py", "c.pth", "8", NNODES="2", NODE_RANK="1", MASTER_ADDR="10.0.0.1"
    ).stdout
    assert "--nnodes=2 --node_rank=1 --nproc_per_node=8" in out
    assert "--master_addr=10.0.0.1 --master_port=29500" in out
    assert out.strip().endswith("test.py c.py c.pth --launcher pytorch")
    assert "--master_port=1234" in run("dist_train.sh", "c.py", "1", PORT="1234").stdout


def test_slurm_scripts_ask_for_what_the_variables_say(run):
    done = run(
        "slurm_train.sh", "part", "job", "c.py", "work", "--amp",
        GPUS="16", GPUS_PER_NODE="4", CPUS_PER_TASK="3", SRUN_ARGS="--quotatype=auto -x node1",
    )  # fmt: skip
    for words in (
        "-p part --job-name=job --gres=gpu:4 --ntasks=16 --ntasks-per-node=4",
        "--cpus-per-task=3 --kill-on-bad-exit=1 --quotatype=auto -x node1 python -u",
        "tools/train.py c.py --work-dir work --launcher slurm --amp",
    ):
        assert words in done.stdout
    assert 20000 <= int(done.stderr.split("=")[1]) < 40000


def test_slurm_test_never_asks_for_more_gpus_a_node_than_in_all(run):
    out = run("slurm_test.sh", "part", "job", "c.py", "c.pth", "--out", "o.pkl", GPUS="2").stdout
    assert "--gres=gpu:2 --ntasks=2 --ntasks-per-node=2 --cpus-per-task=5" in out
    assert out.strip().endswith("tools/test.py c.py c.pth --launcher slurm --out o.pkl")


@pytest.mark.parametrize(
    ("script", "args"),
    [
        ("dist_train.sh", ["c.py"]),
        ("dist_train.sh", ["c.py", "--amp"]),
        ("dist_test.sh", ["c.py", "c.pth"]),
        ("slurm_train.sh", ["part", "job", "c.py"]),
        ("slurm_test.sh", []),
    ],
)
def test_missing_arguments_are_answered_with_the_usage(run, script, args):
    done = run(script, *args)
    assert done.returncode == 2 and f"usage: tools/{script}" in done.stderr and not done.stdout


def test_processes_that_fail_alike_say_it_once_and_keep_the_status(tmp_path):
    config = tmp_path / "c.py"
    config.write_text("train_cfg = dict(max_epochs=0)")
    done = subprocess.run(
        [TOOLS / "dist_train.sh", config, "2"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.count("train_cfg.max_epochs: expected a whole number") == 1
    assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr


def test_same_text_of_two_processes_is_said_by_the_first(tmp_path, monkeypatch, capsys):
    for rank in (1, 0):
        folder = tmp_path / str(rank)
        folder.mkdir()
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(folder / "error.json"))
        for text in ("the same", f"of {rank}"):
            assert run_command("train", lambda text=text: fail(text)) == 2
    said = capsys.readouterr().err
    assert said.count("the same") == 1 and "(process 1): of 1" in said and "train: of 0" in said


def fail(text):
    raise ValueError(text)
