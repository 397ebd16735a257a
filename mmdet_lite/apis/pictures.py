"""Which pictures are meant, what their drawings are called, and drawing them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdet_lite.ops.image_file import PICTURE_ENDINGS, as_rgb, read_rgb
from mmdet_lite.structures import DetDataSample

Picture = str | Path | NDArray[np.uint8]


def find_pictures(path: Path) -> list[Path]:
    """The picture itself, or those of a folder by name.

    Raises:
        FileNotFoundError: the path does not exist.
        ValueError: the folder holds no picture.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FileNotFoundError(f"no such picture or folder: {path}")
    pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURE_ENDINGS)
    if not pictures:
        raise ValueError(f"{path} holds no pictures ({', '.join(PICTURE_ENDINGS)})")
    return pictures


def drawn_names(pictures: Sequence[Path], ext: str) -> list[str]:
    """File name of each drawing: the picture's stem, with its ending where stems are equal.

    Pictures of one name in several folders are numbered.

    >>> drawn_names([Path("a.jpg"), Path("a.png"), Path("b.png"), Path("c/b.png")], "jpg")
    ['a_jpg.jpg', 'a_png.jpg', 'b_png.jpg', 'b_png_1.jpg']
    """
    stems = [p.stem for p in pictures]
    names = [p.stem if stems.count(p.stem) == 1 else p.name.replace(".", "_") for p in pictures]
    seen = [names[:i].count(name) for i, name in enumerate(names)]
    return [
        f"{name}{f'_{before}' if before else ''}.{ext}"
        for name, before in zip(names, seen, strict=True)
    ]


def draw_detections(
    visualizer: Any,
    picture: Picture,
    sample: DetDataSample,
    name: str,
    out_file: Path | None,
    **options: Any,
) -> NDArray[np.uint8]:
    """Draw a picture's detections; returns the drawing (H, W, 3) RGB, written if ``out_file``.

    ``options`` are those of ``DetLocalVisualizer.add_datasample``: draw_pred, pred_score_thr, show,
    wait_time. An array is BGR, as cv2 reads it.
    """
    if isinstance(picture, np.ndarray):
        image = as_rgb(picture)
    else:
        image = read_rgb(str(picture), sample.metainfo.get("ori_shape"))
    target = None if out_file is None else str(out_file)
    visualizer.add_datasample(name, image, sample, draw_gt=False, out_file=target, **options)
    drawn: NDArray[np.uint8] = visualizer.get_image()
    return drawn
