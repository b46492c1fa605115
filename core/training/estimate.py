"""How long a training will take here, judged by what earlier ones took on this machine.

Work is counted in multiply-adds, so that a run of another network is a measure too. Runs of other
machines are not used.
"""

from __future__ import annotations

import hashlib
import math
import os
import platform

from core import runs
from core.networks import backbones
from core.networks.architectures import multiply_adds
from core.outside import auxiliary
from core.runs import Machine, Record, Run
from core.specs.spec import TrainSpec

TELLING_PICTURES = 30_000  # a shorter training is mostly what comes before and after it
# Multiply-adds a second and core, a backward pass counted as two forward: 16e9 to 70e9 were
# measured, by machine and network.
USUAL_RATE = 30e9


def estimate_seconds(spec: TrainSpec) -> tuple[float, str]:
    """How long a training will take on this machine, and what the estimate is based on.

    Scaled by multiply-adds from the finished run here whose network is closest in size; without
    one, from a rate that is slow for a desktop and quick for an old laptop.

    Returns:
        seconds, and a clause such as `estimated from your run “swift”`.
    """
    work = multiply_adds(spec)
    # Counted in epochs in which everything learns: a frozen epoch is less work than that.
    pictures = trained_pictures(spec) * backbones.effort(spec, 1, spec.epochs)
    measures = _runs_of_this_machine()
    if not measures:
        rate = USUAL_RATE * min(os.cpu_count() or 1, 8)
        basis = f"a rough guess for {os.cpu_count()} cores, until a first run here has been timed"
        return 3 * work * pictures / rate, basis

    def distance(measure: tuple[Run, Record]) -> tuple[bool, float]:
        run, record = measure
        other = run.spec.architecture != spec.architecture
        return other, abs(math.log(record.multiply_adds / max(work, 1)))

    run, record = min(measures, key=distance)
    done = record.epochs_done
    seen = (record.pictures_trained or 0) * backbones.effort(run.spec, 1, done) / done
    per_picture = record.seconds / seen * work / record.multiply_adds
    return per_picture * pictures, f"estimated from your run “{run.name}”"


def trained_pictures(spec: TrainSpec) -> int:
    """How many pictures an epoch of this spec trains on, not counting auxiliary photographs, whose
    number is not known in advance.
    """
    total = 60_000 if spec.data == "fashion-mnist" else 2_000
    held_out = {"test": 0.0, "none": 0.0, "fold": 1 / spec.folds}.get(
        spec.validation, spec.validation_fraction
    )
    return round(total * (1 - held_out)) + (sum(auxiliary.COUNTS.values()) if spec.outside else 0)


def machine() -> Machine:
    """This machine; its name is a hash, since records are shared."""
    return Machine(
        hashlib.sha256(platform.node().encode()).hexdigest()[:12],
        os.cpu_count(),
        f"{platform.system()} {platform.machine()}",
    )


def _runs_of_this_machine() -> list[tuple[Run, Record]]:
    """Finished runs of some length that were trained here."""
    here = machine().name
    return [
        (run, run.record)
        for run in runs.list_runs(finished_only=True)
        if run.record is not None
        and not run.shipped
        and run.record.machine.name == here
        and (run.record.pictures_trained or 0) >= TELLING_PICTURES
        and run.record.multiply_adds
    ]
