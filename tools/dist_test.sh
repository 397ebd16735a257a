#!/usr/bin/env bash
# Tests with several processes on one or several machines.
#   tools/dist_test.sh CONFIG CKPT GPUS [arguments of tools/test.py]
# Variables: NNODES (1), NODE_RANK (0), MASTER_ADDR (127.0.0.1), PORT (a free one; on several
# machines 29500), PYTHON (python). Without GPUs the processes run on the CPU with gloo.
set -euo pipefail

if (( $# < 3 )) || ! [[ ${3} =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: tools/dist_test.sh CONFIG CKPT GPUS [arguments of tools/test.py]" >&2
    exit 2
fi
POSITIONAL=("${@:1:2}")
GPUS=${3}
shift 3

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
    "$TOOLS/test.py" "${POSITIONAL[@]}" --launcher pytorch "$@"
