"""Mask R-CNN and its family, with MMDetection's configs, names and checkpoints."""

__version__ = "0.1.0"
