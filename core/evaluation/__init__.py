"""Answers judged: metrics, mistakes, and what the curves of a run say."""

from core.evaluation.metrics import (
    NEVER_SURE,
    Calibration,
    ClassRow,
    Comparison,
    Evaluation,
    calibration,
    class_report,
    compare,
    confusion,
    confusion_csv,
    evaluate,
    fit_temperature,
    most_confused,
    sure_from,
    sure_threshold,
)
from core.evaluation.mistakes import (
    Sort,
    find_mistakes,
    measure,
    mistakes_csv,
    one_of_every_class,
    pictures_of,
)
from core.evaluation.observations import observe

__all__ = [
    "NEVER_SURE",
    "Calibration",
    "ClassRow",
    "Comparison",
    "Evaluation",
    "Sort",
    "calibration",
    "class_report",
    "compare",
    "confusion",
    "confusion_csv",
    "evaluate",
    "find_mistakes",
    "fit_temperature",
    "measure",
    "mistakes_csv",
    "most_confused",
    "observe",
    "one_of_every_class",
    "pictures_of",
    "sure_from",
    "sure_threshold",
]
