"""From pictures to answers: a run's network on ONNX Runtime, and the one way from a picture to its
answer (`core.inference.answer`).
"""

from core.inference.network import BATCH, SURE, Answer, Network, load, open_session, soften

__all__ = ["BATCH", "SURE", "Answer", "Network", "load", "open_session", "soften"]
