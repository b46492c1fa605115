"""The ten classes by name, and the side of a picture: facts that all modules share.

The pictures themselves come from `core.data`.
"""

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
CLASSES = len(CLASS_NAMES)
SIDE = 28  # width and height of a picture, in pixels
