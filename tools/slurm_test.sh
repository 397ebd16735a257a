#!/usr/bin/env bash
# Tests on a Slurm cluster.
#   tools/slurm_test.sh PARTITION JOB_NAME CONFIG CKPT [arguments of tools/test.py]
# Variables: GPUS (8), GPUS_PER_NODE (8, at most GPUS), CPUS_PER_TASK (5), SRUN_ARGS,
# MASTER_PORT (a random one), PYTHON (python).
set -euo pipefail

if (( $# < 4 )); then
    echo "usage: tools/slurm_test.sh PARTITION JOB_NAME CONFIG CKPT [arguments of tools/test.py]" >&2
    exit 2
fi
PARTITION=$1
JOB_NAME=$2
CONFIG=$3
CKPT=$4
shift 4

PYTHON=${PYTHON:-python}
GPUS=${GPUS:-8}
GPUS_PER_NODE=${GPUS_PER_NODE:-8}
(( GPUS_PER_NODE <= GPUS )) || GPUS_PER_NODE=$GPUS
CPUS_PER_TASK=${CPUS_PER_TASK:-5}
SRUN_ARGS=${SRUN_ARGS:-}
export MASTER_PORT=${MASTER_PORT:-$((20000 + RANDOM % 20000))}

TOOLS=$(cd "$(dirname "$0")" && pwd)
export PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}"
# SRUN_ARGS holds several words
# shellcheck disable=SC2086
exec srun -p "$PARTITION" --job-name="$JOB_NAME" \
    --gres=gpu:"$GPUS_PER_NODE" --ntasks="$GPUS" --ntasks-per-node="$GPUS_PER_NODE" \
    --cpus-per-task="$CPUS_PER_TASK" --kill-on-bad-exit=1 $SRUN_ARGS \
    "$PYTHON" -u "$TOOLS/test.py" "$CONFIG" "$CKPT" --launcher slurm "$@"
