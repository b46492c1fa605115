"""The figures that five student reports published for their networks.

Their systems are in `core.specs.presets`; how a run is compared with them, in
`core.specs.published`.
"""

from __future__ import annotations

from core.specs.published import ClassScores, Folds, Published, Sweep

_A = "Kulubecioglu, Laboratory Work 3: Convolutional Neural Network, Kyiv Polytechnic, 2024"
_B = "Deep Learning Project: Fashion MNIST Classification"
_C = "Assignment 6: Convolutional Neural Network"
_D = "Zerouale, MNIST Fashion Classification"
_E = "Convolutional Neural Network for Fashion-MNIST (notebook)"
LAB3 = Published(
    _A,
    0.9153,
    0.4094,
    again=((0.9154, 0.4230),),
    validation_accuracy=0.9193,
)
PROJECT_CNN_1 = Published(
    _B,
    0.8902,
    0.2946,
    report=tuple(
        ClassScores(*row)
        for row in (
            ("T-shirt/top", 0.89, 0.76, 0.82),
            ("Trouser", 0.99, 0.97, 0.98),
            ("Pullover", 0.79, 0.87, 0.83),
            ("Dress", 0.89, 0.93, 0.91),
            ("Coat", 0.91, 0.70, 0.79),
            ("Sandal", 0.98, 0.97, 0.98),
            ("Shirt", 0.64, 0.80, 0.71),
            ("Sneaker", 0.94, 0.97, 0.96),
            ("Bag", 0.98, 0.97, 0.98),
            ("Ankle boot", 0.96, 0.96, 0.96),
        )
    ),
)
PROJECT_CNN_2 = Published(_B, validation_accuracy=0.9180, best_validation_accuracy=0.9230)
PROJECT_CNN_3 = Published(_B, 0.9178, 0.4871)
PROJECT_MLP = Published(_B)
ASSIGNMENT_6 = Published(_C)
# The report gives the test error in percent: 9.87 on one machine, 10.80 on another.
LAB_SGD = Published(
    _D,
    0.9013,
    again=((0.8920, None),),
    sweeps=(
        Sweep("filters", (8, 16, 32, 64, 128), (10.91, 10.23, 10.22, 10.58, 11.11)),
        Sweep("dense_units", (16, 64, 128, 256, 512), (10.80, 10.13, 9.91, 9.84, 8.93)),
        Sweep("epochs", (1, 2, 5, 10, 20), (12.75, 11.80, 11.06, 10.22, 10.04)),
        Sweep(
            "learning_rate",
            (0.1, 0.01, 0.001, 0.0001, 0.00001),
            (15.33, 12.58, 12.31, 16.01, 29.44),
        ),
        Sweep("dropout", (0.1, 0.2, 0.3, 0.4, 0.5), (10.88, 10.48, 10.79, 11.65, 11.88)),
    ),
    folds=Folds(
        (0.8789, 0.8739, 0.8821, 0.8864, 0.8807),
        mean_percent=88.040,
        deviation_percent=0.409,
        shuffle_seed=1,
        changes={"epochs": 5, "learning_rate": 0.001},
    ),
)
LAB_SGD_BEST = Published(_D, 0.9111)
LAB_SGD_SAME = Published(_D, 0.9135)
LAB_SGD_SAME64 = Published(_D, 0.9132)
NOTEBOOK = Published(_E, 0.9028, 0.3958)
