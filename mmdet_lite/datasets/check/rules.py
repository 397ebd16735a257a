"""The whole check: all rules on all sets, as one report."""

from collections.abc import Iterator, Mapping, Sequence

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet
from mmdet_lite.datasets.check.boxes import check_boxes
from mmdet_lite.datasets.check.categories import check_categories, compare_sets
from mmdet_lite.datasets.check.codes import KINDS, REFUSES
from mmdet_lite.datasets.check.duplicates import check_duplicates, check_same_set
from mmdet_lite.datasets.check.ids import check_file_names, check_ids
from mmdet_lite.datasets.check.image_facts import ImageFacts
from mmdet_lite.datasets.check.images import check_images, check_missing, check_unlisted
from mmdet_lite.datasets.check.joints import check_joints
from mmdet_lite.datasets.check.outlines import check_outlines
from mmdet_lite.datasets.check.records import SEVERITIES, DataReport, Finding
from mmdet_lite.datasets.check.statistics import check_funnel, funnel_of, statistics_of
from mmdet_lite.datasets.check.values import check_values

CONTENT_RULES = (
    check_ids,
    check_file_names,
    check_categories,
    check_boxes,
    check_outlines,
    check_joints,
    check_values,
)


def check_sets(
    subject: str,
    sets: Sequence[AnnotatedSet],
    facts: Mapping[str, ImageFacts] | None = None,
    more: Sequence[Finding] = (),
) -> DataReport:
    """Apply all rules.

    Args:
        subject: what the report is about.
        sets: those of one config or folder; may be empty.
        facts: of the pictures, by path; None leaves out what needs their content.
        more: findings of the caller.
    """
    findings = [*more]
    for data in sets:
        findings += check_content(data)
        findings += check_missing(data)
        findings += check_images(data, facts or {})
    readable = [data for data in sets if data.images or data.categories]
    findings += _between(readable)
    if facts is not None:
        findings += check_duplicates(readable, facts)
    findings += check_unlisted([data for data in readable if data.uses.on_disk])
    return DataReport(
        subject=subject,
        sets=tuple(statistics_of(data) for data in readable),
        findings=in_order(findings),
        funnels={data.name: funnel_of(data) for data in readable},
    )


def check_content(data: AnnotatedSet) -> list[Finding]:
    """All findings that need no picture."""
    findings = [*data.broken]
    for rule in CONTENT_RULES:
        findings += rule(data)
    if not any(KINDS[one.code].training == REFUSES for one in findings):
        findings += check_funnel(data)
    return findings


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Errors first, then as the kinds are listed, then as they were found."""
    kinds = list(KINDS)
    return tuple(
        sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), kinds.index(f.code)))
    )


def _between(sets: Sequence[AnnotatedSet]) -> Iterator[Finding]:
    for other in sets[1:]:
        yield from compare_sets(sets[0], other)
    yield from check_same_set(sets)
