"""What a check of annotated images has to say: findings and numbers, ready for json."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mmdet_lite.ops.boxes import Box

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or remarkable.

    Args:
        code: short name of the kind of finding, such as ``box-outside``.
        severity: 'error' trains or evaluates wrongly or not at all, 'warning' probably is a
            mistake, 'note' is good to know.
        message: what, where, both sides, the way out.
        source: the set that it was found in; two sets that disagree are joined by ' / '.
        image: path of the picture, where one is meant.
        ann_id: id of the annotation, where one is meant.
        boxes: boxes to draw, xyxy in pixels of the picture, all finite.
        count: how many places this stands for. Of a kind with very many places the first are
            findings of their own, and one finding without image stands for the rest.
    """

    code: str
    severity: Severity
    message: str
    source: str
    image: str | None = None
    ann_id: Any = None
    boxes: tuple[Box, ...] = ()
    count: int = 1


@dataclass(frozen=True)
class Histogram:
    """Counts between edges: ``len(edges) == len(counts) + 1``, the last edge included.

    ``label`` says what is counted, ``unit`` is that of the edges ('' where there is none).
    ``log`` asks for a logarithmic axis.
    """

    label: str
    unit: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    log: bool = False


@dataclass(frozen=True)
class SetStatistics:
    """The numbers of one set. Instances are its annotations without the crowds.

    Args:
        name: 'train', 'val', 'test', of joined sets 'train.0' and so on; without a config the name
            of the split, or of the file.
        ann_file: file or folder of the annotations.
        image_root: folder that the images' names start from.
        num_images: images in the file.
        num_empty_images: those without any annotation.
        num_annotations: annotations, crowds included.
        num_crowds: crowds among them.
        instances_per_class: class name to number, in the order of the labels; 0 where there is
            none.
        images_per_class: class name to number of images with such an instance.
        sizes: 'small', 'medium', 'large' (COCO's: box area below 32**2, below 96**2, more) to
            number of instances.
        sizes_per_class: the same for each class.
        image_sizes: (width, height, number of images), most frequent first, at most 50.
        histograms: name to histogram: 'box_side' (root of the box's area), 'box_share' (that of
            the image's area, in percent), 'aspect' (width / height), 'instances_per_image',
            'image_width', 'image_height'.
    """

    name: str
    ann_file: str
    image_root: str
    num_images: int
    num_empty_images: int
    num_annotations: int
    num_crowds: int
    instances_per_class: dict[str, int]
    images_per_class: dict[str, int]
    sizes: dict[str, int]
    sizes_per_class: dict[str, dict[str, int]]
    image_sizes: tuple[tuple[int, int, int], ...]
    histograms: dict[str, Histogram]


@dataclass(frozen=True)
class FunnelStep:
    """One reason for which training leaves out images or annotations.

    ``unit`` is 'images' or 'annotations', ``left`` how many are left after this step.
    """

    unit: Literal["images", "annotations"]
    reason: str
    dropped: int
    left: int


@dataclass(frozen=True)
class DataReport:
    """All that one check found.

    Args:
        subject: the config, folder or file that was checked.
        sets: the numbers of each set.
        findings: errors first, then warnings, then notes; those of one code together.
        funnels: name of a set to what its data set leaves out, step by step.
    """

    subject: str
    sets: tuple[SetStatistics, ...] = ()
    findings: tuple[Finding, ...] = ()
    funnels: Mapping[str, tuple[FunnelStep, ...]] = field(default_factory=dict)

    def count(self, severity: Severity) -> int:
        """How many places have findings of this severity."""
        return sum(f.count for f in self.findings if f.severity == severity)

    def by_code(self) -> dict[str, list[Finding]]:
        """Findings by code, in the order of the findings."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.code, []).append(finding)
        return groups

    def as_dict(self) -> dict[str, Any]:
        """All of it as dicts, lists, strings and finite numbers; also the counts by severity."""
        counts = {severity: self.count(severity) for severity in SEVERITIES}
        plain: dict[str, Any] = _plain({**asdict(self), "counts": counts})
        return plain


def _plain(value: Any) -> Any:
    """``value`` for strict json: tuples become lists, unknown things and infinite numbers text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    return str(value)
