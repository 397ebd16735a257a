"""Names of the forms of annotations that are read and written."""

READ_FORMS = ("coco", "voc", "yolo", "labelme", "via", "csv")
WRITTEN_FORMS = ("coco", "voc", "yolo", "labelme")
ALL = "all"  # the name of a set that is not divided into train, val and so on
