#!/usr/bin/env bash
# Trains with several processes on one or several machines.
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# Variables: NNODES (1), NODE_RANK (0), MASTER_ADDR (127.0.0.1), PORT (a free one; on several
# machines 29500), PYTHON (python). Without GPUs the processes run on the CPU with gloo.
set -euo pipefail

if (( $# < 2 )) || ! [[ ${2} =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]" >&2
    exit 2
fi
POSITIONAL=("${@:1:1}")
GPUS=${2}
shift 2

PYTHON=${PYTHON:-python}
NNODES=${NNODES:-1}
NODE_RANK=${NODE_RANK:-0}
MASTER_ADDR=${MASTER_ADDR:-127.0.0.1}
if [[ -z ${PORT:-} ]]; then
    if (( NNODES == 1 )); then
        PORT=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    else
        PORT=29500
    fi
fi

TOOLS=$(cd "$(dirname "$0")" && pwd)
export PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}"
exec "$PYTHON" -m mmdet_lite.cli.processes \
    --nnodes="$NNODES" --node_rank="$NODE_RANK" --nproc_per_node="$GPUS" \
    --master_addr="$MASTER_ADDR" --master_port="$PORT" \
    "$TOOLS/train.py" "${POSITIONAL[@]}" --launcher pytorch "$@"
