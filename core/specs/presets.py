"""Trainings with a name: a spec, a sentence about it, and what was published for it where something
was.

Three are Atelier's own, and two borrow a network that others trained; the rest are the networks of
five student reports, each with its report's layers, optimiser, batch, epochs and split, so that a
run can be put beside the report. What a report leaves open was chosen here, and the sentence says
so. Weights begin as the reports' libraries begin them unless a report says otherwise.

The figures of the reports are in `published`.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InvalidSpec
from core.specs import reports
from core.specs.published import Published
from core.specs.spec import TrainSpec


@dataclass(frozen=True)
class Preset:
    """A named `TrainSpec`; `published` are the figures of the report it comes from, None where it
    is Atelier's own.
    """

    name: str
    title: str
    sentence: str
    spec: TrainSpec
    published: Published | None = None


# The project keeps 20 % of the training pictures back with scikit-learn's
# train_test_split(random_state=2020), whose seed is the run's here; its pooling drops an odd edge
# also behind a convolution that keeps the size.
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
# Keras's guide fine-tunes at 1e-5, for photographs like those that were learnt from; grey garments
# are further away.
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
        "A good small network in twenty seconds: strided stem, normalised blocks, one-cycle learning rate.",
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
        "Three blocks of convolution, LeakyReLU and pooling with a dense layer, as a student's lab "
        "report describes it; it begins to overfit after about six epochs.",
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
        "A residual network for accuracy: longer training with mirrored, shifted and partly erased "
        "pictures.",
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
        "The champion, trained on with drawn garments, scribbles and, where ATELIER_PHOTOS names them, photographs:"
        " for the pictures that people bring.",
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
            epochs=8,
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
        "A network that learnt from a million photographs (ImageNet), borrowed: pictures "
        "enlarged to 96 × 96, two epochs for a new last layer alone, three for everything, slowly. Keras downloads its weights (9 MB) at "
        "the start.",
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
        "an epoch for the new last layer, two for everything. Keras downloads its weights (94 MB) at the start.",
        _TRANSFER.replace(
            name="transfer-resnet", backbone="resnet50_v2", enlarge=64, frozen_epochs=1, epochs=3
        ),
    ),
    Preset(
        "project-cnn-1",
        "Project CNN 1",
        "One convolution, pooling and a dense layer in large batches: what the smallest of a "
        "project's three networks reaches in ten epochs.",
        _PROJECT.replace(
            name="project-cnn-1", filters=(32,), padding=("valid",), dense_units=(128,), epochs=10
        ),
        reports.PROJECT_CNN_1,
    ),
    Preset(
        "project-cnn-2",
        "Project CNN 2",
        "Two convolutions and three dense layers with dropout between them; half the parameters "
        "of the first, since pooling comes twice.",
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
        "Three convolutions and four dense layers with much dropout, for fifty epochs: the best "
        "of the five reports.",
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
        "No convolution: 784 grey values, two layers of 50 tanh neurons, ten outputs, trained by "
        "stochastic gradient descent with momentum from weights drawn from N(0, 1). The split is that of the project's other networks.",
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
        "The network of Lab 3 with dropout between its blocks as well. The report prints only "
        "its end, from the last dropout on; blocks, batch, epochs and split are chosen here.",
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
        "One convolution and sixteen neurons with plain stochastic gradient descent: where a lab's "
        "experiments begin. Judged on the test set after each epoch, as the report did, which leaks.",
        _LAB_SGD.replace(name="lab-sgd-cnn"),
        reports.LAB_SGD,
    ),
    Preset(
        "lab-sgd-best",
        "Lab SGD, best setting",
        "The same with 512 neurons, a smaller learning rate and 20 epochs, which its "
        "experiments found best. Dropout follows the dense layer. Judged on the test set, which leaks.",
        _LAB_SGD_BEST.replace(name="lab-sgd-best"),
        reports.LAB_SGD_BEST,
    ),
    Preset(
        "lab-sgd-same",
        "Lab SGD, best, same",
        "The best setting with zeros around the picture, so that the convolution keeps its "
        "size. Judged on the test set, which leaks.",
        _LAB_SGD_BEST.replace(name="lab-sgd-same", padding=("same",)),
        reports.LAB_SGD_SAME,
    ),
    Preset(
        "lab-sgd-same64",
        "Lab SGD, best, same, 64",
        "The same with 64 filters: twice the parameters, and no gain. Judged on the test "
        "set, which leaks.",
        _LAB_SGD_BEST.replace(name="lab-sgd-same64", padding=("same",), filters=(64,)),
        reports.LAB_SGD_SAME64,
    ),
    Preset(
        "notebook-cnn",
        "Notebook CNN",
        "Two convolutions, the second without pooling, and a small dense layer: a notebook's first "
        "network, converged within ten epochs.",
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
        InvalidSpec: naming the presets there are.
    """
    if name not in PRESETS:
        raise InvalidSpec(
            f"There is no preset called {name!r}; the presets are {', '.join(PRESETS)}."
        )
    return PRESETS[name]


def matching(spec: TrainSpec) -> Preset | None:
    """The preset that a spec is, but for its name, seed and number of epochs: then published
    figures can be compared.
    """
    free = {"name": "same", "seed": 0, "epochs": 1}
    return next(
        (
            preset
            for preset in PRESETS.values()
            if preset.spec.replace(**free) == spec.replace(**free)
        ),
        None,
    )
