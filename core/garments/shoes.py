"""The shapes of sandals, sneakers and ankle boots, seen from the side.

They stand on y = 0 with the toe at x = 0 and the heel at x = 1, pointing left as nearly all shoes
in Fashion-MNIST do. Each is made flat and then bent over its heel. Low boots and high sneakers look
alike, as they do in the data.

Cloth, light and scale come later, in `core.garments.drawing`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.garments.parts import Part, Points, arc, area, line, pick, smooth, stretched


def sneaker(rng: np.random.Generator) -> list[Part]:
    """A sneaker: low or, now and then, above the ankle, with laces, stripes and a clear sole."""
    tall, ankle = (
        rng.uniform(0.85, 1.15),
        rng.uniform(0.26, 0.36) if rng.random() < 0.82 else rng.uniform(0.4, 0.6),
    )
    toe, tongue = rng.uniform(0.13, 0.18), rng.uniform(0.5, 0.6)
    heel = ankle + rng.uniform(-0.03, 0.05)
    upper = [
        (0.0, -0.02),
        (0.0, -toe + 0.02),
        (0.12, -toe - 0.02),
        (0.28, -toe - 0.04),
        (tongue - 0.1, -ankle * 0.85),
        (tongue, -ankle - 0.04),
        (tongue + 0.1, -ankle),
        (0.78, -ankle + 0.05),
        (0.92, -heel),
        (0.98, -heel + 0.03),
        (0.97, -0.16),
        (1.0, -0.02),
    ]
    parts = [area(stretched(upper, tall), 1.0, rounds=2)]
    parts.append(
        area(stretched(arc(0.78, -ankle + 0.01, 0.13, 0.05, 0, 360), tall), rng.uniform(0.2, 0.6))
    )
    if rng.random() < 0.8:
        tone = rng.choice([rng.uniform(0.3, 0.6), rng.uniform(1.2, 1.6)])
        for step in np.linspace(0.1, 0.9, int(rng.integers(3, 6))):
            x, y = 0.3 + (tongue - 0.34) * step, -toe - 0.03 - (ankle - toe) * step * 0.8
            parts.append(line(stretched([(x, y), (x + 0.08, y + 0.07)], tall), tone, 0.018))
    tone = rng.choice([rng.uniform(0.3, 0.7), rng.uniform(1.2, 1.6)])
    for stripe in range(int(rng.integers(0, 4))):
        x = 0.46 + 0.09 * stripe
        parts.append(
            line(stretched([(x + 0.1, -0.25), (x, -0.08)], tall), tone, rng.uniform(0.02, 0.05))
        )
    if rng.random() < 0.3:
        parts.append(line(stretched([(0.14, -toe), (0.2, -0.06)], tall), 0.6, 0.02))
    return [*parts, _sole(rng, rng.uniform(0.05, 0.09), 0.0)]


def boot(rng: np.random.Generator) -> list[Part]:
    """An ankle boot: flat or on a heel, with laces, a zip, an elastic panel or nothing."""
    shaft, lift = rng.uniform(0.46, 0.95), pick(rng, (0.0, 0.45), (0.1, 0.3), (0.26, 0.25))
    lift *= rng.uniform(0.8, 1.2)
    toe, front = rng.uniform(0.12, 0.18), rng.uniform(0.4, 0.52)
    back, flare = rng.uniform(0.92, 0.98), rng.uniform(-0.04, 0.04)
    upper = [
        (0.02, -0.02),
        (0.0, -0.07),
        (0.08, -toe),
        (0.26, -toe - 0.07),
        (front - 0.04, -0.36),
        (front, -0.46),
        (front - flare, -shaft),
        (front - flare, -shaft),
        (back + flare, -shaft + rng.uniform(-0.03, 0.05)),
        (back + flare, -shaft),
        (back - 0.02, -0.34),
        (1.0, -0.18),
        (0.99, -0.02),
    ]
    parts = [Part(_raised(smooth(np.array(upper), 1), lift))]
    detail, tone = rng.random(), rng.uniform(0.35, 0.75)
    if detail < 0.3:  # laces
        for y in np.linspace(-0.3, -shaft + 0.05, 5):
            x = front - 0.02 - 0.3 * max(0.0, 0.42 + y)
            parts.append(Part(_raised([(x, y), (x + 0.13, y + 0.02)], lift), tone, 0.022))
    elif detail < 0.5:  # an elastic panel
        panel = [(0.6, -shaft + 0.02), (0.8, -shaft + 0.02), (0.75, -0.3), (0.66, -0.3)]
        parts.append(Part(_raised(panel, lift), tone))
    elif detail < 0.7:  # a zip
        parts.append(Part(_raised([(0.72, -shaft), (0.68, -0.08)], lift), tone, 0.02))
    if rng.random() < 0.4:  # a fold of fur, or a strap
        y = -shaft + 0.03 if rng.random() < 0.5 else -0.4
        parts.append(
            Part(_raised([(front - 0.02, y), (back, y)], lift), rng.choice([0.6, 1.35]), 0.06)
        )
    parts.append(_sole(rng, rng.uniform(0.03, 0.07), lift))
    return parts + _heel(rng, lift)


def sandal(rng: np.random.Generator) -> list[Part]:
    """A sandal: a sole, flat or raised, and straps with black between them."""
    lift = pick(rng, (0.0, 0.5), (0.16, 0.15), (0.45, 0.35)) * rng.uniform(0.8, 1.2)
    thick = rng.uniform(0.04, 0.08) if rng.random() < 0.75 else rng.uniform(0.1, 0.15)
    parts = [*_heel(rng, lift), _sole(rng, thick, lift)]
    width, tone = rng.uniform(0.025, 0.06), rng.uniform(0.8, 1.4)

    def strap(points: Points, broad: float = 1.0) -> Part:
        return Part(_raised(smooth(np.array(points), 2, closed=False), lift), tone, width * broad)

    kind = rng.choice(["slide", "thong", "straps", "straps", "ankle", "closed"])
    rise, base = rng.uniform(0.15, 0.24), -thick + 0.02
    # One broad band over the foot; a closed one also holds the heel.
    if kind in ("slide", "closed"):
        end = rng.uniform(0.42, 0.58)
        band = [
            (0.08, base),
            (0.16, -rise * 0.8),
            (0.28, -rise - 0.02),
            (end - 0.06, -rise - 0.08),
            (end, base),
        ]
        parts.append(Part(_raised(smooth(np.array(band), 1), lift), tone))
        if rng.random() < 0.5:
            parts.append(Part(_raised([(0.22, base), (0.34, -rise)], lift), 0.0, 0.03))
        if kind == "slide":
            return parts
    elif kind == "thong":
        parts.append(
            strap([(0.16, base), (0.22, -rise * 0.6), (0.38, -rise * 0.9), (0.66, base)], 1.3)
        )
    else:
        steps = np.linspace(0.12, rng.uniform(0.26, 0.44), int(rng.integers(1, 4)))
        parts += [
            strap(
                [(x - 0.04, base), (x + 0.06, -rise), (x + 0.16, -rise - 0.04), (x + 0.26, base)],
                1.3,
            )
            for x in steps
        ]
    if kind != "thong" or rng.random() < 0.4:
        top = rng.uniform(0.28, 0.42)
        parts.append(strap([(0.98, base), (0.95, -top * 0.7), (0.92, -top)], 1.4))
        parts.append(
            strap([(0.94, -top), (0.75, -top - 0.04), (0.62, -top * 0.9), (0.56, -top * 0.7)], 0.9)
        )
        parts.append(strap([(0.56, -top * 0.7), (0.7, -top * 0.55), (0.94, -top * 0.8)], 0.8))
        if rng.random() < 0.6:
            parts.append(strap([(0.56, -top * 0.7), (0.42, -rise), (0.3, -rise * 0.9)], 0.9))
    return parts


def sandals_from_above(rng: np.random.Generator) -> list[Part]:
    """Flip-flops or sandals from above, a pair or one: soles with straps over them."""
    slim, tone = rng.uniform(0.8, 1.15), pick(rng, (0.3, 0.6), (1.7, 0.4))
    parts = [_sole_from_above(slim)]
    width = rng.uniform(0.03, 0.07)
    if rng.random() < 0.7:  # a strap from between the toes to both sides
        toe, side = rng.uniform(0.14, 0.24), rng.uniform(0.42, 0.56)
        parts += [
            line([(0.02, toe), (s * 0.09, toe + 0.12), (s * 0.16 * slim, side)], tone, width)
            for s in (-1, 1)
        ]
    else:
        for y in np.linspace(0.2, rng.uniform(0.4, 0.6), int(rng.integers(1, 4))):
            parts.append(line([(-0.17 * slim, y + 0.04), (0.17 * slim, y)], tone, width * 1.4))
        if rng.random() < 0.5:
            parts.append(line([(-0.13 * slim, 0.74), (0.13 * slim, 0.74)], tone, width))
    return _pair(rng, parts)


def sneakers_from_above(rng: np.random.Generator) -> list[Part]:
    """Low shoes from above, a pair or one: a toe cap, laces, and the opening for the foot."""
    slim, tone = rng.uniform(0.85, 1.1), rng.uniform(0.3, 0.7)
    parts = [_sole_from_above(slim)]
    parts.append(area(arc(0, 0.76, 0.1 * slim, rng.uniform(0.14, 0.19), 0, 360), tone * 0.7))
    top = rng.uniform(0.26, 0.34)
    laces = pick(rng, (0.3, 0.5), (1.7, 0.5))
    rows = np.linspace(top, 0.55, int(rng.integers(3, 6)))
    parts += [line([(-0.07, y), (0.07, y)], laces, 0.025) for y in rows]
    if rng.random() < 0.6:
        parts.append(line(arc(0, 0.26, 0.14 * slim, 0.06, 180, 360), tone, 0.02))
    if rng.random() < 0.5:
        parts += [line([(s * 0.09, top - 0.04), (s * 0.09, 0.6)], tone, 0.02) for s in (-1, 1)]
    return _pair(rng, parts)


def _sole_from_above(slim: float) -> Part:
    """The outline of a shoe from above, its toe at y = 0 and its heel at y = 1, of a left foot."""
    outline = [
        (0.02, 0.0),
        (0.14, 0.06),
        (0.18, 0.2),
        (0.16, 0.38),
        (0.115, 0.58),
        (0.125, 0.84),
        (0.06, 0.99),
        (-0.06, 0.99),
        (-0.13, 0.84),
        (-0.135, 0.6),
        (-0.18, 0.36),
        (-0.17, 0.18),
        (-0.1, 0.04),
    ]
    return area([(x * slim, y) for x, y in outline], 1.0, rounds=2)


def _pair(rng: np.random.Generator, parts: list[Part]) -> list[Part]:
    """One shoe from above as it is, or mostly both, side by side and turned a little."""
    if rng.random() < 0.35:
        return parts
    apart, slope = rng.uniform(0.2, 0.3), rng.uniform(-0.15, 0.2)
    both = []
    for side in (-1, 1):
        angle = side * slope
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        both += [
            Part((one.points * (-side, 1)) @ turn + (side * apart, 0), one.tone, one.width)
            for one in parts
        ]
    return both


def _sole(rng: np.random.Generator, thick: float, lift: float) -> Part:
    """The sole, from toe to heel."""
    xs = np.linspace(0.0, 1.0, 9)
    top = [(x, -thick - 0.02 * (x < 0.05)) for x in xs]
    return Part(
        _raised([*top, *((x, 0.0) for x in xs[::-1])], lift), pick(rng, (1.35, 0.5), (0.55, 0.5))
    )


def _heel(rng: np.random.Generator, lift: float) -> list[Part]:
    """The heel, from a stiletto to a wedge; none on a flat shoe."""
    if lift < 0.05:
        return []
    wide, foot = rng.uniform(0.12, 0.28), rng.uniform(0.035, 0.16)
    if rng.random() < 0.2:  # a wedge follows the sole
        xs = np.linspace(0.3, 1.0, 6)
        return [
            area([*map(tuple, _raised([(x, 0.0) for x in xs], lift)), (0.98, 0.0), (0.3, 0.0)], 0.8)
        ]
    top = -lift + 0.03
    block = [(1.0 - wide, top), (1.0, top - 0.02), (0.98, 0.0), (0.98 - min(foot, wide), 0.0)]
    return [area(block, rng.uniform(0.7, 1.1))]


def _raised(points: Points | NDArray[np.float64], lift: float) -> NDArray[np.float64]:
    """Bend a flat shoe so that its heel stands `lift` above the ground and its toe stays on it."""
    bent = np.array(points, dtype=float)
    way = np.clip((bent[:, 0] - 0.25) / 0.55, 0.0, 1.0)
    bent[:, 1] -= lift * way * way * (3 - 2 * way)
    return bent
