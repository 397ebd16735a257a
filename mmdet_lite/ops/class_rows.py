"""How the rows of a head's layer belong to classes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassRows:
    """Rows of a layer whose weights and biases belong to classes, in the order of the classes.

    A head names such layers in its attribute ``class_layers``, a dict from the layer's name inside
    the head to this. Loading a checkpoint then takes rows by the names of their classes.

    ``each``: rows of a class. ``background``: rows after those of all classes that are nobody's.
    ``by_anchor``: each anchor has all these rows, one anchor after the other.
    """

    each: int = 1
    background: int = 0
    by_anchor: bool = False
