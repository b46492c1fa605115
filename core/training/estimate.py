"""How long a training will take here, from what earlier ones took on this machine.

Work is counted in multiply-adds, so a run of another network is a measure too; runs of other
machines are none.
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
from core.specs.spec import TrainSpec

TELLING_PICTURES = 30_000  # a shorter training is mostly what comes before and after it


def estimate_seconds(spec: TrainSpec) -> tuple[float, str]:
    """How long a training will take on this machine, and what that rests on.

    Scaled by multiply-adds from the finished run here whose network is nearest in size; without
    one, from a rate that is slow for a desktop and quick for an old laptop.

    Returns:
        seconds, and a clause such as `from the run swift on this machine`.
    """
    work = multiply_adds(spec)
    # In frozen epochs, fewer than it sees.
    pictures = trained_pictures(spec) * backbones.effort(spec, 1, spec.epochs)
    own = (run for run in runs.list_runs(finished_only=True) if not run.shipped)
    here = [
        run
        for run in own
        if run.record.get("machine", {}).get("name") == machine()["name"]
        and run.record.get("pictures_trained", 0) >= TELLING_PICTURES
        and run.record.get("multiply_adds")
    ]
    if here:
        near = min(
            here,
            key=lambda run: (
                run.spec.architecture != spec.architecture,
                abs(math.log(run.record["multiply_adds"] / max(work, 1))),
            ),
        )
        done = near.record.get("epochs_done") or near.spec.epochs
        seen = near.record["pictures_trained"] * backbones.effort(near.spec, 1, done) / done
        per_picture = near.seconds / seen * work / near.record["multiply_adds"]
        return per_picture * pictures, f"from the run {near.name} on this machine"
    # Multiply-adds a second and core, a backward pass counted as two forward: 16e9 to 70e9 were
    # measured, by machine and network.
    rate = 30e9 * min(os.cpu_count() or 1, 8)
    return (
        3 * work * pictures / rate,
        f"a guess for {os.cpu_count()} cores; the first run here will tell",
    )


def trained_pictures(spec: TrainSpec) -> int:
    """How many pictures an epoch of this spec trains on, but for photographs, whose number nobody
    knows before.
    """
    total = 60_000 if spec.data == "fashion-mnist" else 2_000
    kept = {"test": 0.0, "none": 0.0, "fold": 1 / spec.folds}.get(
        spec.validation, spec.validation_fraction
    )
    learnt = round(total * (1 - kept))
    return learnt + (sum(auxiliary.COUNTS.values()) if spec.outside else 0)


def machine() -> dict:
    """This machine, as records keep it: a name that only it can recognise (records are shared),
    processors and system.
    """
    name = hashlib.sha256(platform.node().encode()).hexdigest()[:12]
    return {
        "name": name,
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }
