"""What makes a JSON a COCO annotation file."""

from typing import Any

from mmdet_lite.ops.json_text import Json


def coco_content(content: Any, source: str) -> Json:
    """Return what a COCO json holds, as it is.

    Args:
        content: what was parsed.
        source: the file, for the message.

    Raises:
        ValueError: it is no dict with images and categories; says what it is instead.
    """
    if isinstance(content, dict) and {"images", "categories"} <= content.keys():
        return content
    got = sorted(map(str, content))[:8] if isinstance(content, dict) else type(content).__name__
    raise ValueError(
        f"{source!r} is no COCO annotation file: expected the keys images, annotations and "
        f"categories, got {got}. Other forms are converted first: mmdet-lite convert-data"
    )
