"""Finding the checkpoint from which an interrupted training goes on."""

import re
from pathlib import Path
from typing import Any

from mmdet_lite.checkpoint.load import load_checkpoint_file

POINTER = "last_checkpoint"


def find_resume_checkpoint(work_dir: str | Path) -> tuple[Path, dict[str, Any], list[str]]:
    """The latest checkpoint in ``work_dir`` that can be resumed from.

    The one named by the file ``last_checkpoint`` comes first, then the others, the highest epoch
    or iteration first. Files that cannot be read or have no optimizer state are passed over.

    Returns:
        the path, the checkpoint's ``meta``, and why each file tried before was passed over.

    Raises:
        FileNotFoundError: if none can be resumed from, with what was tried.
    """
    folder = Path(work_dir)
    problems: list[str] = []
    for candidate in _candidates(folder):
        try:
            return candidate, read_resume_meta(candidate), problems
        except (ValueError, FileNotFoundError) as error:
            problems.append(str(error))
    tried = "".join(f"\n  {problem}" for problem in problems)
    raise FileNotFoundError(
        f"nothing to resume: no complete checkpoint in {folder.absolute()}{tried}\n"
        "Start without --resume, or give the checkpoint: --resume PATH"
    )


def read_resume_meta(path: str | Path) -> dict[str, Any]:
    """``meta`` of a checkpoint that training can go on from.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it cannot be read, or lacks the optimizer or the epoch (a published or best
            checkpoint): such a file can start a training, but not continue one.
    """
    checkpoint = load_checkpoint_file(str(path), mmap="://" not in str(path))
    meta = checkpoint.get("meta", {})
    lacking = [
        name
        for name, there in (
            ("state_dict", "state_dict" in checkpoint),
            ("optimizer", "optimizer" in checkpoint),
            ("meta.epoch", "epoch" in meta),
            ("meta.iter", "iter" in meta),
        )
        if not there
    ]
    if lacking:
        raise ValueError(
            f"{path} cannot be resumed from, it has no {', '.join(lacking)}: use it as the start "
            "of a new training with --load-from"
        )
    return meta


def _candidates(folder: Path) -> list[Path]:
    named = folder / POINTER
    pointed = []
    if named.is_file():
        pointer = Path(named.read_text(encoding="utf-8").strip())
        # mmengine writes an absolute path there, and the folder may have moved since
        moved = pointer.is_absolute() and (folder / pointer.name).is_file()
        pointed = [folder / (pointer.name if moved else pointer)]
    folders = {folder, *(path.parent for path in pointed)}
    found = (path for place in folders for path in place.glob("*.pth"))
    others = [path for path in found if not path.name.startswith("best_")]
    others.sort(key=lambda path: (_step(path), path.stat().st_mtime), reverse=True)
    return pointed + [path for path in others if path not in pointed]


def _step(path: Path) -> int:
    numbers = re.findall(r"\d+", path.stem)
    return int(numbers[-1]) if numbers else -1
