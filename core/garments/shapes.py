"""The shapes of the ten kinds of garment; whatever varies is left to a random generator.

Tops are symmetric about x = 0, with the shoulders near y = 0, and about 1 long. Shoes are in
`core.garments.shoes`. Where the real classes overlap (a blouse, a coat closed to the top, a
pullover with a collar), so do these, so that no classifier can get all of them right.

How a shape is painted is in `core.garments.drawing`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.garments.parts import Part, arc, area, dense, line, mirrored, pick, smooth
from core.garments.shoes import boot, sandal, sandals_from_above, sneaker, sneakers_from_above

OTHER_SHARE = 0.35  # of drawings, where there is another view


def shape(label: int, rng: np.random.Generator) -> list[Part]:
    """The parts of a random garment of class `label` (0..9), in the order to paint them in."""
    return _SHAPES[label](rng)


def drawn_shape(label: int, rng: np.random.Generator) -> list[Part]:
    """The same, now and then in a view that people draw and photograph and the data set does not
    have: sleeves spread out, a rucksack, a pair of shoes from above.
    """
    other = _OTHER_VIEWS.get(label)
    return other(rng) if other is not None and rng.random() < OTHER_SHARE else shape(label, rng)


def _tshirt(rng: np.random.Generator) -> list[Part]:
    sleeve = pick(rng, (0.24, 0.62), (0.0, 0.14), (0.38, 0.14), (0.7, 0.1))
    parts, neck = _top(
        rng,
        length=rng.uniform(0.84, 1.06),
        half=rng.uniform(0.24, 0.32),
        taper=rng.uniform(-0.04, 0.04),
        sleeve=sleeve * rng.uniform(0.9, 1.3),
        sleeve_width=rng.uniform(0.15, 0.21),
        spread=rng.uniform(0.35, 0.95) if sleeve < 0.6 else rng.uniform(0.02, 0.16),
    )
    return parts + _neckline(rng, neck, rng.choice(["round", "round", "v", "boat"]))


def _pullover(rng: np.random.Generator) -> list[Part]:
    length = rng.uniform(0.8, 1.0)
    parts, neck = _top(
        rng,
        length=length,
        half=rng.uniform(0.25, 0.32),
        taper=rng.uniform(-0.03, 0.04),
        sleeve=length * rng.uniform(0.78, 0.98),
        sleeve_width=rng.uniform(0.12, 0.17),
        spread=rng.uniform(0.02, 0.16),
        cuffs=rng.uniform(0.7, 1.15),
    )
    parts.append(
        line([(-0.26, length - 0.05), (0.26, length - 0.05)], rng.uniform(0.75, 1.0), 0.02)
    )
    kind = rng.choice(
        ["round", "v", "boat", "roll", "hood", "placket"], p=[0.44, 0.14, 0.1, 0.12, 0.1, 0.1]
    )
    if kind == "placket":
        return parts + _collar(rng, neck) + [line([(0, 0.05), (0, 0.3)], 0.6, 0.02)]
    return parts + _neckline(rng, neck, kind)


def _shirt(rng: np.random.Generator) -> list[Part]:
    length = rng.uniform(0.88, 1.08)
    long = rng.random() < 0.62
    parts, neck = _top(
        rng,
        length=length,
        half=rng.uniform(0.23, 0.31),
        taper=rng.uniform(-0.04, 0.06),
        sleeve=length * rng.uniform(0.72, 0.95) if long else rng.uniform(0.2, 0.46),
        sleeve_width=rng.uniform(0.11, 0.16) if long else rng.uniform(0.15, 0.21),
        spread=rng.uniform(0.02, 0.17) if long else rng.uniform(0.3, 0.9),
        cuffs=rng.uniform(0.8, 1.1),
        tail=rng.uniform(0.0, 0.07),
    )
    kind = rng.random()
    if kind < 0.3:  # blouses, which only their cut distinguishes from T-shirts and pullovers
        return parts + _neckline(rng, neck, rng.choice(["round", "v"]))
    parts += _collar(rng, neck)
    bottom = length if kind < 0.88 else 0.35
    tone = rng.uniform(0.55, 0.85)
    parts.append(line([(0.01, 0.07), (0.01, bottom)], tone, rng.uniform(0.012, 0.025)))
    buttons = np.linspace(0.14, bottom - 0.05, 5)
    parts += [line([(-0.012, y), (0.012, y)], tone * 0.6, 0.025) for y in buttons]
    if rng.random() < 0.3:
        parts.append(line([(0.08, 0.3), (0.18, 0.3)], 0.75, 0.02))
    return parts


def _coat(rng: np.random.Generator) -> list[Part]:
    length = rng.uniform(0.88, 1.25)
    parts, neck = _top(
        rng,
        length=length,
        half=rng.uniform(0.26, 0.33),
        taper=rng.uniform(-0.05, 0.03),
        sleeve=rng.uniform(0.72, 0.92),
        sleeve_width=rng.uniform(0.14, 0.19),
        spread=rng.uniform(0.02, 0.16),
        cuffs=rng.uniform(0.75, 1.1),
    )
    if rng.random() < 0.2:  # closed to the top, with hidden buttons
        return parts + _neckline(rng, neck, rng.choice(["round", "roll"]))
    middle = rng.uniform(-0.04, 0.04)
    parts.append(
        line([(middle, 0.08), (middle, length)], rng.uniform(0.0, 0.6), rng.uniform(0.02, 0.045))
    )
    collar = rng.random()
    if collar < 0.45:  # lapels over a dark opening
        depth = rng.uniform(0.2, 0.42)
        parts.append(area([(-neck, 0), (neck, 0), (middle, depth)], rng.uniform(0.0, 0.45)))
        for side in (-1, 1):
            lapel = [
                (side * neck, -0.02),
                (side * (neck + 0.07), 0.13),
                (middle, depth),
                (side * neck * 0.7, 0.1),
            ]
            parts.append(area(lapel, rng.uniform(0.75, 1.2)))
    elif collar < 0.75:
        parts += _neckline(rng, neck, "hood")
    else:
        parts += _collar(rng, neck)
    level = length * rng.uniform(0.58, 0.72)
    if rng.random() < 0.7:
        slant = rng.uniform(-0.05, 0.05)
        tone = rng.uniform(0.45, 0.8)
        parts += [
            line([(s * 0.1, level + slant), (s * 0.2, level - slant)], tone, 0.025) for s in (-1, 1)
        ]
    if rng.random() < 0.2:
        parts.append(
            line([(-0.26, level - 0.12), (0.26, level - 0.12)], rng.uniform(0.5, 0.75), 0.045)
        )
    return parts


def _dress(rng: np.random.Generator) -> list[Part]:
    half, waist, hip = rng.uniform(0.15, 0.2), rng.uniform(0.11, 0.17), rng.uniform(0.14, 0.34)
    level, bottom = rng.uniform(0.34, 0.46), rng.uniform(1.0, 1.2)
    neck = half * rng.uniform(0.45, 0.75)
    side = [
        (neck, 0),
        (half, 0.03),
        (half * 0.92, 0.2),
        (waist, level),
        (max(waist, hip * 0.9), level + 0.24),
    ]
    parts = [mirrored([*side, (hip, bottom), (hip * 0.9, bottom + 0.02)])]
    sleeve = pick(rng, (0.0, 0.45), (0.14, 0.3), (0.55, 0.25))
    if sleeve:
        parts += _sleeves(
            rng,
            half,
            0.03,
            half * 0.92,
            sleeve * rng.uniform(0.9, 1.3),
            rng.uniform(0.07, 0.11),
            rng.uniform(0.05, 0.45),
            1.0,
        )
    if rng.random() < 0.45:
        parts.append(
            line([(-waist, level), (waist, level)], rng.uniform(0.4, 0.8), rng.uniform(0.02, 0.04))
        )
    for x in np.linspace(-0.6, 0.6, rng.integers(0, 5)):
        parts.append(line([(x * waist, level + 0.06), (x * hip, bottom)], 0.85, 0.015))
    return parts + _neckline(rng, neck, rng.choice(["round", "v", "boat"]))


def _spread_top(rng: np.random.Generator) -> tuple[list[Part], float, float]:
    """Body and long sleeves spread out, half the width of the neck, and the length."""
    length = rng.uniform(0.75, 1.05)
    parts, neck = _top(
        rng,
        length=length,
        half=rng.uniform(0.24, 0.33),
        taper=rng.uniform(-0.04, 0.04),
        sleeve=rng.uniform(0.5, 0.95),
        sleeve_width=rng.uniform(0.12, 0.2),
        spread=rng.uniform(0.3, 1.3),
        cuffs=rng.uniform(0.7, 1.15),
    )
    return parts, neck, length


def _pullover_spread(rng: np.random.Generator) -> list[Part]:
    parts, neck, length = _spread_top(rng)
    if rng.random() < 0.6:
        parts.append(line([(-0.26, length - 0.06), (0.26, length - 0.06)], 0.7, 0.02))
    return parts + _neckline(rng, neck, rng.choice(["round", "round", "v", "roll", "boat"]))


def _shirt_spread(rng: np.random.Generator) -> list[Part]:
    parts, neck, length = _spread_top(rng)
    buttons = np.linspace(0.14, length - 0.08, int(rng.integers(3, 7)))
    parts += [*_collar(rng, neck), line([(0.01, 0.07), (0.01, length)], 0.6, 0.02)]
    return parts + [line([(-0.012, y), (0.012, y)], 0.35, 0.03) for y in buttons]


def _jacket_spread(rng: np.random.Generator) -> list[Part]:
    """A short jacket: open or zipped, with a collar, a hood or lapels, and pockets."""
    parts, neck, length = _spread_top(rng)
    if rng.random() < 0.35:  # open: one sees between its halves
        gap = rng.uniform(0.03, 0.1)
        opening = [(-neck * 0.6, -0.02), (neck * 0.6, -0.02), (gap, length), (-gap, length)]
        parts.append(area(opening, rng.uniform(0.0, 0.5)))
    else:
        parts.append(line([(0, 0.05), (0, length)], rng.uniform(0.1, 0.6), rng.uniform(0.02, 0.04)))
        if rng.random() < 0.4:
            buttons = np.linspace(0.16, length - 0.1, int(rng.integers(3, 6)))
            parts += [line([(0.05, y), (0.08, y)], 0.3, 0.03) for y in buttons]
    kind = rng.random()
    if kind < 0.3:
        parts += _neckline(rng, neck, "hood")
    elif kind < 0.9:
        parts += _collar(rng, neck)
    if rng.random() < 0.75:
        level, slant = length * rng.uniform(0.55, 0.72), rng.uniform(-0.06, 0.06)
        parts += [
            line([(s * 0.09, level + slant), (s * 0.2, level - slant)], 0.5, 0.025) for s in (-1, 1)
        ]
    return parts


def _rucksack(rng: np.random.Generator) -> list[Part]:
    """A rucksack from the front: a round top, a pocket, a loop, and straps at its sides."""
    half, height = rng.uniform(0.3, 0.42), rng.uniform(0.85, 1.1)
    body = [
        *arc(0, half * 0.9, half, half * 0.9, 180, 360),
        (half * rng.uniform(1.0, 1.12), height),
        (-half * rng.uniform(1.0, 1.12), height),
    ]
    tone = rng.uniform(0.5, 0.8)
    parts = [line(arc(0, 0.02, half * 0.3, rng.uniform(0.08, 0.16), 180, 360), tone, 0.04)]
    if rng.random() < 0.7:
        parts += [
            line(arc(s * half, height * 0.6, 0.12, height * 0.32, top, top + 180), tone, 0.05)
            for s, top in ((-1, 90), (1, -90))
        ]
    parts.append(area(body, 1.0, rounds=1))
    top = height * rng.uniform(0.48, 0.62)
    pocket = [(-half * 0.75, top), (half * 0.75, top), (half * 0.75, height * 0.93)]
    pocket.append((-half * 0.75, height * 0.93))
    parts.append(line([*pocket, pocket[0]], tone, 0.025))
    if rng.random() < 0.6:
        parts.append(line([(-half, top * 0.75), (0, top * 0.9), (half, top * 0.75)], tone, 0.025))
    return parts


def _top(
    rng: np.random.Generator,
    *,
    length: float,
    half: float,
    taper: float,
    sleeve: float,
    sleeve_width: float,
    spread: float,
    cuffs: float = 1.0,
    tail: float = 0.0,
) -> tuple[list[Part], float]:
    """Body and sleeves of anything worn above the waist, and half the width of its neck."""
    neck, drop, chest = (
        rng.uniform(0.09, 0.15),
        rng.uniform(0.03, 0.08),
        half * rng.uniform(0.9, 0.98),
    )
    waist = chest - taper - rng.uniform(-0.01, 0.02)
    hem = (chest - taper, length)  # twice, so that smoothing leaves a corner
    side = [(neck, 0), (half, drop), (chest, 0.28), (waist, 0.65 * length), hem, hem]
    body = mirrored([*side, (0.0, length + tail * rng.choice([-0.5, 1.0]))], rounds=1)
    if not sleeve:
        return [body], neck
    return [body, *_sleeves(rng, half, drop, chest, sleeve, sleeve_width, spread, cuffs)], neck


def _sleeves(
    rng: np.random.Generator,
    half: float,
    drop: float,
    chest: float,
    length: float,
    width: float,
    spread: float,
    cuffs: float,
) -> list[Part]:
    """Both sleeves and their seams.

    `spread` is their slope away from the body, `cuffs` the tone of the cuffs.
    """
    along = np.array([spread, 1.0]) / np.hypot(spread, 1.0)
    across = np.array([along[1], -along[0]])
    armhole = 0.28 - drop
    hang = np.array([half - 0.02, drop]) + along * max(length, 0.1)
    outer, inner = hang + across * width * 0.45, hang - across * width * 0.45
    bulge = np.array([half + rng.uniform(0.03, 0.06), drop + armhole * 0.4])
    crook = np.array([chest, 0.28]) if length > armhole else np.array([chest, drop + length * 0.9])
    parts, tone = [], rng.uniform(0.5, 0.85)
    for side in (-1.0, 1.0):
        flip = np.array([side, 1.0])
        sleeve = np.array(
            [(half * 0.8, drop * 0.6), (half, drop), bulge, outer, outer, inner, inner, crook]
        )
        parts.append(Part(smooth(sleeve * flip, 1)))
        parts.append(
            line([(side * (half - 0.01), drop + 0.02), (side * crook[0], crook[1])], tone, 0.014)
        )
        if cuffs != 1.0 and length > 0.3:
            cuff = np.array([outer, inner, inner - along * 0.06, outer - along * 0.06])
            parts.append(Part(cuff * flip, cuffs))
    return parts


def _neckline(rng: np.random.Generator, neck: float, kind: str) -> list[Part]:
    """The neckline, with the hem around it."""
    if kind == "roll":
        collar = [(-neck, 0.04), (-neck * 0.85, -0.1), (neck * 0.85, -0.1), (neck, 0.04)]
        return [
            area(collar, rng.uniform(0.8, 1.15)),
            line([(-neck, 0.03), (0, 0.06), (neck, 0.03)], 0.65, 0.015),
        ]
    if kind == "hood":
        hood = arc(0, 0.05, neck * 1.5, rng.uniform(0.12, 0.2), 180, 360)
        inside = arc(0, 0.06, neck * 0.8, 0.11, 0, 360)
        return [area(hood, rng.uniform(0.8, 1.1)), area(inside, rng.uniform(0.3, 0.6))]
    depth = {"boat": 0.04, "round": rng.uniform(0.06, 0.14), "v": rng.uniform(0.12, 0.28)}[kind]
    cut = (
        [(-neck, -0.03), (neck, -0.03), (0, depth)]
        if kind == "v"
        else arc(0, -0.01, neck, depth, 0, 180)
    )
    back = area(
        arc(0, 0, neck, depth * 0.4, 0, 180) + arc(0, -0.01, neck, 0.02, 180, 360),
        rng.uniform(0.3, 0.7),
    )
    edge = [(neck, 0), (0, depth), (-neck, 0)] if kind == "v" else cut
    parts = [area(cut, 0.0), line(edge, rng.uniform(0.6, 1.2), 0.02)]
    return [*parts, back] if rng.random() < 0.4 else parts


def _collar(rng: np.random.Generator, neck: float) -> list[Part]:
    """A collar of two flaps that meet in the middle."""
    drop, reach, tone = rng.uniform(0.09, 0.16), rng.uniform(0.02, 0.07), rng.uniform(0.85, 1.2)
    parts = [area([(-neck, -0.03), (neck, -0.03), (0, drop * 0.8)], rng.uniform(0.25, 0.6))]
    for side in (-1, 1):
        flap = [
            (side * neck * 0.75, -0.06),
            (side * (neck + reach), 0.02),
            (side * neck * 0.7, drop),
            (0, 0.05),
        ]
        parts += [area(flap, tone), line([flap[1], flap[2], flap[3]], 0.6, 0.014)]
    return parts


def _trouser(rng: np.random.Generator) -> list[Part]:
    length = rng.uniform(0.5, 0.7) if rng.random() < 0.08 else rng.uniform(0.92, 1.05)
    waist, hip = rng.uniform(0.12, 0.16), rng.uniform(0.155, 0.2)
    crotch, stance = rng.uniform(0.26, 0.33), rng.uniform(0.0, 0.07)
    hem = rng.uniform(0.08, 0.14)
    bend, parts = rng.uniform(-0.02, 0.02), []
    for side in (-1, 1):
        knee = (crotch + length) / 2
        outer = [
            (waist, 0),
            (hip, 0.2),
            (hip * 0.85 + stance * 0.4 + bend, knee),
            (0.015 + stance + hem, length),
        ]
        inner = [
            (0.015 + stance, length),
            (0.02 + stance * 0.5 + bend, knee),
            (0.008, crotch),
            (0.0, crotch - 0.02),
        ]
        leg = [(waist, 0), *outer, outer[-1], inner[0], *inner, (-0.03, 0.1), (-0.03, 0)]
        parts.append(
            Part(smooth(np.array(leg) * (side, 1), 1), 1.0 if side > 0 else rng.uniform(0.85, 1.0))
        )
    parts.append(line([(-waist, 0.025), (waist, 0.025)], rng.uniform(0.6, 1.2), 0.04))
    if rng.random() < 0.75:
        parts.append(line([(0, 0.04), (0, crotch)], rng.uniform(0.3, 0.7), 0.018))
    if rng.random() < 0.5:
        parts += [
            line([(s * waist * 0.5, 0.06), (s * hip * 0.95, 0.13)], 0.65, 0.018) for s in (-1, 1)
        ]
    return parts


def _bag(rng: np.random.Generator) -> list[Part]:
    height, top = rng.uniform(0.42, 0.95), rng.uniform(0.38, 0.52)
    kind = rng.choice(["box", "trapeze", "half round", "tote"], p=[0.35, 0.3, 0.2, 0.15])
    if kind == "half round":
        body = [(-top, 0), (top, 0), *arc(0, height * 0.3, top, height * 0.7, 0, 180)]
        parts = [area(body)]
    else:
        bottom = top if kind == "box" else top * rng.uniform(0.82, 1.15)
        height *= 1.2 if kind == "tote" else 1.0
        corners = [(-top, 0), (top, 0), (bottom, height), (-bottom, height)]
        parts = [Part(smooth(dense(corners), int(rng.integers(0, 3))))]
    parts = _handles(rng, top, kind) + parts
    flap, tone = height * rng.uniform(0.3, 0.6), rng.uniform(0.45, 0.8)
    if rng.random() < 0.55:
        lid = [
            (-top, 0),
            (-top * rng.uniform(0.5, 0.95), flap),
            (top * rng.uniform(0.5, 0.95), flap),
            (top, 0),
        ]
        parts.append(line(lid, tone, 0.022))
        parts.append(line([(-0.035, flap), (0.035, flap)], rng.choice([0.3, 1.5]), 0.07))
    else:
        parts.append(line([(-top * 0.95, 0.07), (top * 0.95, 0.07)], tone, 0.025))
    if rng.random() < 0.25:
        parts += [
            line([(s * top * 0.55, 0.02), (s * top * 0.55, height * 0.95)], tone, 0.025)
            for s in (-1, 1)
        ]
    return parts


def _handles(rng: np.random.Generator, top: float, kind: str) -> list[Part]:
    """One handle, two of them one behind the other, a shoulder strap, or none (a clutch)."""
    width, rise, tone = rng.uniform(0.025, 0.055), rng.uniform(0.2, 0.5), rng.uniform(0.6, 1.2)
    reach = top * rng.uniform(0.35, 0.85)
    choice = 0.3 if kind == "tote" else rng.random()
    grip = [line(arc(0, 0.02, reach, rise, 180, 360), tone, width)]
    if choice < 0.4:
        behind = line(arc(0.04, 0.02, reach, rise * 0.88, 180, 360), tone * 0.75, width)
        return [behind, *grip] if choice < 0.25 else grip
    if choice < 0.75:
        droop = rng.uniform(0.2, 0.5)
        strap = [(-top, 0.04), (-top - 0.06, droop * 0.5), (-top - 0.02, droop)]
        over = line(arc(0, 0.05, top * 0.98, rise * 0.5, 180, 360), tone, width * 0.7)
        return [line(strap, tone, width), line([(-x, y) for x, y in strap], tone, width)] + [
            over
        ] * (choice < 0.6)
    return []


_SHAPES: tuple[Callable[[np.random.Generator], list[Part]], ...] = (
    _tshirt,
    _trouser,
    _pullover,
    _dress,
    _coat,
    sandal,
    _shirt,
    sneaker,
    _bag,
    boot,
)
_OTHER_VIEWS: dict[int, Callable[[np.random.Generator], list[Part]]] = {
    2: _pullover_spread,
    4: _jacket_spread,
    5: sandals_from_above,
    6: _shirt_spread,
    7: sneakers_from_above,
    8: _rucksack,
}
