"""Where jobs run: a Dask scheduler with workers, on this machine or elsewhere."""

from core.engine.client import (
    Calculation,
    Engine,
    EngineRefused,
    EngineStatus,
    Job,
    JobState,
    Stopped,
    connect,
    end_own,
    serve,
)

__all__ = [
    "Calculation",
    "Engine",
    "EngineRefused",
    "EngineStatus",
    "Job",
    "JobState",
    "Stopped",
    "connect",
    "end_own",
    "serve",
]
