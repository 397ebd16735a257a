"""``mmdet-lite publish-model IN OUT``: a checkpoint to give away."""

import hashlib
import io
import re
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmdet_lite.cli.front_door import CommandParser, run_command, say

SAVED = ("meta", "state_dict")
RANDOM_STATES = "random_states"  # in meta, of every process of a training
AVERAGED = "ema_"  # MMDetection 2 kept the second copy of averaged weights under such names


def main(argv: Sequence[str] | None = None) -> int:
    """Publish as the arguments say; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("publish-model", lambda: publish(args))


def parse_args(argv: Sequence[str] | None) -> Namespace:
    """The flags."""
    parser = CommandParser(
        "mmdet-lite publish-model",
        description="Strip a checkpoint of what only training needs, and put the first eight "
        "digits of its sha256 into its name.",
    )
    parser.add_argument("in_file", metavar="IN", help="checkpoint file")
    parser.add_argument("out_file", metavar="OUT", help="OUT.pth becomes OUT-0123abcd.pth")
    parser.add_argument(
        "--save-keys",
        nargs="+",
        default=list(SAVED),
        metavar="KEY",
        help=f"parts of the checkpoint to keep, default: {' '.join(SAVED)}",
    )
    args = parser.parse_args(argv)
    if "state_dict" not in args.save_keys:
        parser.error(f"--save-keys {' '.join(args.save_keys)}: without state_dict nothing is left")
    return args


def publish(args: Namespace) -> int:
    """Read, strip, write; say what was left out and the name of the result."""
    import torch

    from mmdet_lite.checkpoint import atomic_path, load_checkpoint_file

    checkpoint = load_checkpoint_file(args.in_file)
    published = stripped(checkpoint, args.save_keys, args.in_file)
    left_out = sorted(set(checkpoint) - set(published))
    if left_out:
        say(f"left out: {', '.join(left_out)}")
    averaged = len(checkpoint["state_dict"]) - len(published["state_dict"])
    if averaged:
        say(f"left out: {averaged} {AVERAGED}* tensors, the copies of averaged weights")
    # written to memory first: the file's name depends on its content, never the reverse
    content = io.BytesIO()
    torch.save(published, content)
    out = named_by_hash(Path(args.out_file), content.getbuffer())
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(out) as temporary:
        temporary.write_bytes(content.getbuffer())
    say(f"published: {out} ({out.stat().st_size / 2**20:.1f} MB)")
    return 0


def stripped(
    checkpoint: Mapping[str, Any], save_keys: Sequence[str], source: str
) -> dict[str, Any]:
    """The parts of a checkpoint that others need; the argument is not changed.

    Of mmengine's averaged weights (``EMAHook``) the average stays, which is what ``state_dict``
    holds; ``ema_state_dict`` holds the weights as they were trained. Of ``meta`` the random states
    of the processes go.

    Raises:
        ValueError: if there are no weights or some that are no numbers, or a key is nowhere.
    """
    missing = [key for key in save_keys if key not in checkpoint]
    if "state_dict" in missing or set(missing) - set(SAVED):
        raise ValueError(
            f"{source} has no {', '.join(missing)}; it has {', '.join(checkpoint)}. A bare state "
            "dict needs tools/model_converters/convert.py first"
        )
    kept = {key: checkpoint[key] for key in save_keys if key in checkpoint}
    weights = kept["state_dict"]
    if not any(hasattr(value, "isfinite") for value in weights.values()):
        raise ValueError(f"{source} is not fit to be given away: its state_dict holds no tensors")
    ours = type(weights)((k, weights[k]) for k in weights if not k.startswith(AVERAGED))
    broken = [key for key, value in ours.items() if not _is_finite(value)]
    if broken:
        raise ValueError(
            f"{source} is not fit to be given away: {len(broken)} tensors hold nan or inf, the "
            f"first is {broken[0]}"
        )
    if hasattr(weights, "_metadata"):
        ours._metadata = weights._metadata
    kept["state_dict"] = ours
    if "meta" in kept:
        kept["meta"] = {key: value for key, value in kept["meta"].items() if key != RANDOM_STATES}
    return kept


def _is_finite(value: Any) -> bool:
    return not hasattr(value, "isfinite") or bool(value.isfinite().all())


def named_by_hash(out: Path, content: bytes | memoryview) -> Path:
    """``out`` with the first eight digits of the content's sha256 before its ending.

    >>> named_by_hash(Path("mask-rcnn-0123abcd.pth"), b"").name
    'mask-rcnn-e3b0c442.pth'
    """
    stem = re.sub(r"-[0-9a-f]{8}$", "", out.name.removesuffix(".pth"))
    return out.with_name(f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}.pth")


if __name__ == "__main__":
    sys.exit(main())
