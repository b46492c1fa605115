"""The run library: what a run is, its record, and its files."""

from core.runs.library import (
    MAX_NOTE,
    SCHEMA,
    champion,
    create,
    delete,
    finish,
    history,
    index,
    list_damaged,
    list_runs,
    onnx_bytes,
    promote,
    read,
    rename,
    set_note,
    test_predictions,
    validation_epochs,
    validation_predictions,
    write_history,
)
from core.runs.record import EpochPredictions, Predictions, Progress, Run
from core.runs.storage import SHIPPED, check_id, read_bytes, read_json, version, write, write_arrays, write_json

__all__ = ["EpochPredictions", "MAX_NOTE", "Predictions", "Progress", "Run", "SCHEMA", "SHIPPED", "champion", "check_id", "create", "delete", "finish", "history", "index", "list_damaged", "list_runs", "onnx_bytes", "promote", "read", "read_bytes", "read_json", "rename", "set_note", "test_predictions", "validation_epochs", "validation_predictions", "version", "write", "write_arrays", "write_history", "write_json"]
