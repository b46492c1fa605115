"""Errors that a person can do something about.

Each carries one full sentence: what was expected, what was given, what to do. Pages and the command
line show that sentence and nothing else; any other exception is a defect and keeps its traceback.
"""

from __future__ import annotations


class AtelierError(Exception):
    """Base of all errors whose message is meant for the person at the screen."""


class DataUnavailable(AtelierError):
    """Fashion-MNIST is not on this machine and cannot be downloaded."""


class DataDamaged(AtelierError):
    """A data file is there, but its contents are wrong."""


class UnreadablePicture(AtelierError):
    """A file or drawing that cannot be read as a picture."""


class InvalidSpec(AtelierError):
    """A setting, or a combination of settings, that no training can start with."""


class WeightsUnavailable(AtelierError):
    """The weights of a pretrained network are not on this machine and cannot be downloaded."""


class NothingLearned(AtelierError):
    """A training was asked to stop before its first batch, so there is nothing to keep."""


class Diverged(AtelierError):
    """A training's loss exploded before anything was learned that could be kept."""


class RunNotFound(AtelierError):
    """No run has this id, or it is not a valid id."""


class RunDamaged(AtelierError):
    """A run's folder is there, but something in it cannot be read."""


class EngineUnavailable(AtelierError):
    """No engine can be reached or started."""


class StorageProblem(AtelierError):
    """The disk is full, or the folder may not be written to."""
