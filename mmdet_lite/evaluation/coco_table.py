"""The tables of AP that a user reads in the log."""

from collections.abc import Mapping, Sequence

from terminaltables import AsciiTable

from mmdet_lite.evaluation.coco_eval import CocoTables, average_precision


def summary_table(numbers_of_metric: Mapping[str, Mapping[str, float]]) -> str:
    """Return one row a metric: AP, AP50, AP75, AP by object size, AR; '-' where there is no data.

    Args:
        numbers_of_metric: 'bbox', 'segm' or 'keypoints' with what ``coco_eval.summarize`` returned.
    """
    header = ["metric", "AP", "AP50", "AP75", "APs", "APm", "APl"]
    keys = ["mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l"]
    rows = []
    recall_names = set()
    for metric, numbers in numbers_of_metric.items():
        recall_keys = [key for key in numbers if key.startswith("AR@")]
        recall = numbers[recall_keys[0]] if recall_keys else -1.0
        rows.append([metric, *[_cell(numbers[key]) for key in keys], _cell(recall)])
        recall_names.add(recall_keys[0] if recall_keys else "AR")
    header.append(recall_names.pop() if len(recall_names) == 1 else "AR")
    return _table([header, *rows])


def recall_table(recalls: Mapping[str, float]) -> str:
    """Return one line with the recalls of proposals: AR@n and, where known, by object size."""
    return _table([["metric", *recalls], ["proposal", *map(_cell, recalls.values())]])


def classwise_table(tables: CocoTables, names: Sequence[str]) -> str:
    """Return one row a class with its AP, AP50, AP75 and AP by object size.

    Args:
        tables: the evaluator's result.
        names: of the categories in the order of the tables (ascending ids).
    """
    rows = [
        [
            name,
            *map(
                _cell,
                [
                    average_precision(tables, category=k),
                    average_precision(tables, iou_thr=0.5, category=k),
                    average_precision(tables, iou_thr=0.75, category=k),
                    average_precision(tables, area="small", category=k),
                    average_precision(tables, area="medium", category=k),
                    average_precision(tables, area="large", category=k),
                ],
            ),
        ]
        for k, name in enumerate(names)
    ]
    return _table([["category", "mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l"], *rows])


def _cell(value: float) -> str:
    return f"{value:.3f}" if value >= 0 else "-"


def _table(rows: Sequence[Sequence[str]]) -> str:
    table = AsciiTable([list(row) for row in rows])
    for column in range(1, len(rows[0])):
        table.justify_columns[column] = "right"
    return "\n" + table.table
