"""Trainings with a name: a spec, a sentence about it, and what a report published for it, if any.

Four are Atelier's own, and two more start from a pretrained network. The rest are the networks of
five student reports, each with its report's layers, optimiser, batch size, epochs and split, so
that a run can be compared with the report. What a report leaves open was chosen here, and the
sentence says so. Weights are initialised as in the reports' libraries unless a report says
otherwise.

The figures of the reports are in `core.specs.reports`.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InvalidSpec
from core.specs import reports
from core.specs.published import Published
from core.specs.spec import TrainSpec


@dataclass(frozen=True)
class Preset:
    """A named `TrainSpec`.

    Attributes:
        name: by which it is asked for.
        title: for people.
        sentence: what it is good for.
        spec: all its settings.
        published: the figures of the report that it comes from; None where it is Atelier's own.
    """

    name: str
    title: str
    sentence: str
    spec: TrainSpec
    published: Published | None = None


# The project holds out 20 % of the training pictures with scikit-learn's
# train_test_split(random_state=2020), whose seed is the run's here. Its pooling drops an odd edge
# even after a convolution that keeps the size.
_PROJECT = TrainSpec(
    validation="random",
    validation_fraction=0.2,
    seed=2020,
    pool_padding="valid",
    learning_rate=0.001,
    batch=512,
)
# The lab validates on the test set.
_LAB_SGD = TrainSpec(
    validation="test",
    filters=(32,),
    padding=("valid",),
    dense_units=(16,),
    initializer="he_uniform",
    optimizer="sgd",
    learning_rate=0.01,
    momentum=0.9,
    batch=32,
    epochs=5,
)
_LAB_SGD_BEST = _LAB_SGD.replace(dense_units=(512,), learning_rate=0.001, epochs=20, dropout=(0.2,))
# Keras's guide fine-tunes at 1e-5, for photographs like those of ImageNet. Grey garments differ
# more from those, so the network has to change more.
_TRANSFER = TrainSpec(
    architecture="transfer",
    start_from="imagenet",
    filters=(),
    dense_units=(),
    block_dropout=(0.2,),
    optimizer="adam",
    learning_rate=0.001,
    fine_tune_rate=1e-4,
    schedule="cosine",
    batch=64,
    validation_fraction=0.05,
    flip=True,
    precision="auto",
)


_ALL = (
    Preset(
        "swift",
        "Swift",
        "A good small network in twenty seconds: a strided stem, normalised blocks and a one-cycle "
        "learning rate.",
        TrainSpec(
            name="swift",
            architecture="swift",
            filters=(16, 32, 64, 128),
            batch_norm=True,
            dense_units=(),
            dropout=(0.0,),
            optimizer="adamw",
            learning_rate=0.02,
            schedule="one_cycle",
            warm_up=0.1,
            beta_2=0.98,
            weight_decay=0.05,
            batch=256,
            epochs=4,
            validation_fraction=0.05,
            label_smoothing=0.1,
            initializer="he_normal",
            precision="auto",
        ),
    ),
    Preset(
        "lab3-cnn",
        "Lab 3 CNN",
        "Three blocks of convolution, LeakyReLU and pooling, then a dense layer, as in a student's "
        "lab report. It starts to overfit after about six epochs.",
        TrainSpec(
            name="lab3-cnn",
            architecture="cnn",
            filters=(32, 64, 128),
            activation="leaky_relu",
            dense_units=(128,),
            dropout=(0.3,),
            optimizer="adam",
            learning_rate=0.001,
            batch=64,
            epochs=20,
            validation="last",
            validation_fraction=0.2,
        ),
        reports.LAB3,
    ),
    Preset(
        "champion",
        "Champion",
        "A residual network made for accuracy: a longer training, with pictures mirrored, shifted "
        "and partly erased.",
        TrainSpec(
            name="champion",
            architecture="resnet",
            filters=(16, 64, 128),
            blocks=2,
            batch_norm=True,
            dense_units=(),
            optimizer="adamw",
            learning_rate=0.006,
            schedule="one_cycle",
            weight_decay=0.05,
            batch=128,
            epochs=95,
            validation_fraction=0.05,
            label_smoothing=0.1,
            flip=True,
            shift=2,
            erase=0.5,
            initializer="he_normal",
            average_weights=True,
            precision="auto",
        ),
    ),
    Preset(
        "everyday",
        "Everyday",
        "The champion, fine-tuned on drawn garments, scribbles and, where the settings name folders "
        "of them, people's own drawings, icons and photographs: for what people draw and upload.",
        TrainSpec(
            name="everyday",
            start_from="shipped-champion",
            outside=True,
            architecture="resnet",
            filters=(16, 64, 128),
            blocks=2,
            batch_norm=True,
            dense_units=(),
            optimizer="adamw",
            learning_rate=0.002,
            schedule="one_cycle",
            weight_decay=0.05,
            batch=128,
            epochs=5,
            validation_fraction=0.05,
            label_smoothing=0.05,
            flip=True,
            shift=2,
            rotate=5.0,
            erase=0.2,
            initializer="he_normal",
            average_weights=True,
            precision="auto",
        ),
    ),
    Preset(
        "transfer-mobilenet",
        "Transfer MobileNetV2",
        "A network pretrained on a million photographs (ImageNet). Pictures are enlarged to "
        "96 × 96; for two epochs only the new last layers learn, then for three everything does, "
        "at a small learning rate. Keras downloads the weights (9 MB) at the start.",
        _TRANSFER.replace(
            name="transfer-mobilenet",
            backbone="mobilenet_v2",
            enlarge=96,
            frozen_epochs=2,
            epochs=5,
        ),
    ),
    Preset(
        "transfer-resnet",
        "Transfer ResNet50V2",
        "The same with ten times the parameters, and pictures of only 64 × 64 to make up for it: "
        "one epoch for the new last layers, two for everything. Keras downloads the weights "
        "(94 MB) at the start.",
        _TRANSFER.replace(
            name="transfer-resnet", backbone="resnet50_v2", enlarge=64, frozen_epochs=1, epochs=3
        ),
    ),
    Preset(
        "project-cnn-1",
        "Project CNN 1",
        "One convolution, pooling and a dense layer, trained in large batches for ten epochs: the "
        "smallest of a project's three networks.",
        _PROJECT.replace(
            name="project-cnn-1", filters=(32,), padding=("valid",), dense_units=(128,), epochs=10
        ),
        reports.PROJECT_CNN_1,
    ),
    Preset(
        "project-cnn-2",
        "Project CNN 2",
        "Two convolutions and three dense layers with dropout between them. It has about half the "
        "parameters of the first, because it pools twice.",
        _PROJECT.replace(
            name="project-cnn-2",
            filters=(32, 64),
            padding=("valid", "same"),
            dense_units=(128, 256, 128),
            dropout=(0.25, 0.25, 0.0),
            epochs=20,
        ),
        reports.PROJECT_CNN_2,
    ),
    Preset(
        "project-cnn-3",
        "Project CNN 3",
        "Three convolutions and four dense layers with a lot of dropout, trained for fifty epochs: "
        "the best of the five reports.",
        _PROJECT.replace(
            name="project-cnn-3",
            filters=(64, 128, 64),
            padding=("valid", "same", "same"),
            pool=(True, True, False),
            dense_units=(128, 256, 256, 128),
            dropout=(0.25, 0.5, 0.25, 0.1),
            epochs=50,
        ),
        reports.PROJECT_CNN_3,
    ),
    Preset(
        "project-mlp",
        "Project MLP",
        "No convolution: 784 grey values, two layers of 50 tanh neurons and ten outputs, trained "
        "by stochastic gradient descent with momentum. Initial weights are drawn from N(0, 1); the "
        "split is that of the project's other networks.",
        _PROJECT.replace(
            name="project-mlp",
            filters=(),
            dense_units=(50, 50),
            activation="tanh",
            initializer="standard_normal",
            optimizer="sgd",
            learning_rate=0.001,
            momentum=0.9,
            batch=128,
            epochs=100,
        ),
        reports.PROJECT_MLP,
    ),
    Preset(
        "assignment6-cnn",
        "Assignment 6 CNN",
        "The network of Lab 3 with dropout between its blocks as well. The report shows only the "
        "last layers, from the last dropout on; blocks, batch size, epochs and split were chosen here.",
        TrainSpec(
            name="assignment6-cnn",
            filters=(32, 64, 128),
            activation="leaky_relu",
            block_dropout=(0.25, 0.25, 0.4),
            dense_units=(128,),
            dropout=(0.3,),
            batch=64,
            epochs=20,
            validation="last",
            validation_fraction=0.2,
        ),
        reports.ASSIGNMENT_6,
    ),
    Preset(
        "lab-sgd-cnn",
        "Lab SGD CNN",
        "One convolution and sixteen neurons, trained by stochastic gradient descent: where a lab's "
        "experiments start. It is checked on the test set after each epoch, as in the report, "
        "which leaks test labels.",
        _LAB_SGD.replace(name="lab-sgd-cnn"),
        reports.LAB_SGD,
    ),
    Preset(
        "lab-sgd-best",
        "Lab SGD, best setting",
        "The same with 512 neurons, a smaller learning rate and 20 epochs, which the experiments "
        "found best, and dropout after the dense layer. It is checked on the test set, which "
        "leaks test labels.",
        _LAB_SGD_BEST.replace(name="lab-sgd-best"),
        reports.LAB_SGD_BEST,
    ),
    Preset(
        "lab-sgd-same",
        "Lab SGD, best, same",
        "The best setting with zeros around the picture, so that the convolution keeps its size. "
        "It is checked on the test set, which leaks test labels.",
        _LAB_SGD_BEST.replace(name="lab-sgd-same", padding=("same",)),
        reports.LAB_SGD_SAME,
    ),
    Preset(
        "lab-sgd-same64",
        "Lab SGD, best, same, 64",
        "The same with 64 filters: twice the parameters and no gain. It is checked on the test "
        "set, which leaks test labels.",
        _LAB_SGD_BEST.replace(name="lab-sgd-same64", padding=("same",), filters=(64,)),
        reports.LAB_SGD_SAME64,
    ),
    Preset(
        "notebook-cnn",
        "Notebook CNN",
        "Two convolutions, the second without pooling, and a small dense layer: the first network "
        "of a notebook, which converges within ten epochs.",
        TrainSpec(
            name="notebook-cnn",
            filters=(28, 56),
            padding=("valid",),
            pool=(True, False),
            dense_units=(56,),
            batch=32,
            epochs=10,
            validation="last",
            validation_fraction=0.2,
        ),
        reports.NOTEBOOK,
    ),
)
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        InvalidSpec: if there is none, naming those that there are.
    """
    if name not in PRESETS:
        raise InvalidSpec(
            f"There is no preset called {name!r}; the presets are {', '.join(PRESETS)}."
        )
    return PRESETS[name]


def matching(spec: TrainSpec) -> Preset | None:
    """The preset with the settings of a spec, apart from name, seed and number of epochs.

    >>> spec = preset("swift").spec
    >>> matching(spec.replace(epochs=2, seed=7)).title
    'Swift'
    >>> matching(spec.replace(batch=32)) is None
    True

    Published figures can be compared with a run of such a spec.
    """
    free = {"name": "same", "seed": 0, "epochs": 1}
    wanted = spec.replace(**free)
    return next(
        (known for known in PRESETS.values() if known.spec.replace(**free) == wanted),
        None,
    )
