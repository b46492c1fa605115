"""What a person can do something about.

Every error here carries one full sentence: what was expected, what came, what to do. Pages and the
command line show that sentence and nothing else; every other exception is a defect and keeps its
traceback.
"""

from __future__ import annotations


class AtelierError(Exception):
    """Base of all errors whose message is meant for the person in front of the screen."""


class DataUnavailable(AtelierError):
    """Fashion-MNIST is neither on this machine nor to be downloaded."""


class DataDamaged(AtelierError):
    """A data file is there, but not what it should be."""


class UnreadablePicture(AtelierError):
    """A file or drawing that cannot become 28 x 28 pixels."""


class InvalidSpec(AtelierError):
    """A value that no training can start with."""


class WeightsUnavailable(AtelierError):
    """The published weights of a borrowed network are neither on this machine nor to be downloaded."""


class NothingLearnt(AtelierError):
    """A training was asked to stop before its first batch, so there is nothing to keep."""


class RunNotFound(AtelierError):
    """No run has this id, or the id is none."""


class RunDamaged(AtelierError):
    """A run's folder is there, but something in it cannot be read."""


class EngineUnavailable(AtelierError):
    """Nobody is there to train."""


class StorageProblem(AtelierError):
    """The disk is full, or the folder may not be written to."""
