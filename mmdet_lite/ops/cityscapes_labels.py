"""The classes of Cityscapes whose objects are told apart: names, ids, colours.

Source: the table of labels of cityscapesscripts and the legend on cityscapes-dataset.com.
"""

INSTANCE_CLASSES = (
    "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
)  # fmt: skip
INSTANCE_PALETTE = (
    (220, 20, 60), (255, 0, 0), (0, 0, 142), (0, 0, 70), (0, 60, 100), (0, 80, 100), (0, 0, 230),
    (119, 11, 32),
)  # fmt: skip
LABEL_IDS = dict(zip(INSTANCE_CLASSES, (24, 25, 26, 27, 28, 31, 32, 33), strict=True))
# pixels of these count for nothing: void, parking, rail track, guard rail, bridge, tunnel,
# polegroup, caravan, trailer
IGNORED_IDS = (0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30)
# in a picture of instance ids, object n of a class has label id * 1000 + n; a group of objects
# that could not be told apart has the bare label id
IDS_PER_LABEL = 1000
