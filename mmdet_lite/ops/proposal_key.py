"""By which name a file of proposals knows an image."""

from pathlib import Path


def proposal_key(img_path: str) -> str:
    """The name of an image in a file of proposals: its folder and file name.

    >>> proposal_key("data/coco/val2017/000000000139.jpg")
    'val2017/000000000139.jpg'
    """
    return "/".join(Path(img_path).parts[-2:])
