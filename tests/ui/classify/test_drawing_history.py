"""The steps of a drawing, as the canvas sends them and as buttons go through them."""

from __future__ import annotations

import copy

from ui.classify.drawing_history import MOST, Sheet, unclosed_corners


def stroke(number: int) -> dict:
    return {"type": "Path", "path": [["M", number, 1], ["Q", 1, 1, 2, 2], ["L", 3, 3]]}


def lines(corners: int) -> dict:
    return {
        "type": "Path",
        "path": [["M" if not number else "L", number, 1] for number in range(corners)],
    }


def drawing(*objects: dict) -> dict:
    return copy.deepcopy({"objects": list(objects), "background": "#ffffff"})


def drawn(*strokes: int) -> Sheet:
    sheet = Sheet()
    for last in range(1, len(strokes) + 1):
        send(sheet, *map(stroke, strokes[:last]))
    return sheet


def send(sheet: Sheet, *objects: dict, png: str = "", polygon: bool = False) -> None:
    sheet.take(drawing(*objects), (png or str(len(objects))).encode(), polygon=polygon)


def shows(sheet: Sheet) -> int:
    return len((sheet.drawing or {}).get("objects", []))


def test_undo_and_redo_go_through_every_step_and_stop_at_the_ends():
    sheet = drawn(1, 2, 3)
    seen = []
    for step in (sheet.undo, sheet.undo, sheet.undo, sheet.undo, *4 * [sheet.redo]):
        step()
        seen.append(shows(sheet))
    assert seen == [2, 1, 0, 0, 1, 2, 3, 3]
    assert sheet.png == b"3"


def test_the_canvas_going_back_by_itself_is_a_step_and_no_new_drawing():
    sheet = drawn(1, 2, 3)
    send(sheet, stroke(1))
    assert (len(sheet.earlier), len(sheet.later)) == (1, 2)
    sheet.redo()
    assert shows(sheet) == 2
    send(sheet, *map(stroke, (1, 2, 3)))
    assert (len(sheet.earlier), len(sheet.later)) == (3, 0)


def test_a_stroke_after_undo_ends_what_could_be_redone():
    sheet = drawn(1, 2)
    sheet.undo()
    send(sheet, stroke(1), stroke(9))
    sheet.redo()
    assert sheet.drawing == drawing(stroke(1), stroke(9))


def test_clear_is_one_step_and_an_empty_sheet_is_not_cleared():
    sheet = drawn(1, 2)
    sheet.clear()
    assert sheet.pixels() is None and shows(sheet) == 0
    sheet.clear()
    sheet.undo()
    assert shows(sheet) == 2
    sheet.redo()
    assert shows(sheet) == 0


def test_every_jump_opens_another_canvas_with_what_it_is_to_show():
    sheet = drawn(1, 2)
    sheet.undo()
    assert (sheet.number, sheet.initial) == (1, drawing(stroke(1)))
    sheet.clear()
    assert (sheet.number, sheet.initial) == (2, None)


def test_steps_are_limited_and_share_what_they_have_in_common():
    sheet = drawn(*range(MOST + 20))
    assert len(sheet.earlier) == MOST
    first = sheet.earlier[0].drawing["objects"][0]
    assert all(step.drawing["objects"][0] is first for step in sheet.earlier)


def test_a_half_set_polygon_is_no_step_until_its_lines_are_kept():
    sheet = drawn(1)
    send(sheet, stroke(1), lines(2), png="handles", polygon=True)
    send(sheet, stroke(1), lines(3), png="more handles", polygon=True)
    assert shows(sheet) == 1 and sheet.half is not None and not sheet.keeping
    sheet.lines_from_half()
    send(sheet, stroke(1), lines(3), png="more handles")
    send(sheet, stroke(1), png="not opened yet")
    assert shows(sheet) == 1 and sheet.keeping
    send(sheet, stroke(1), lines(3), png="lines")
    assert sheet.png == b"lines" and sheet.half is None and not sheet.keeping
    sheet.undo()
    assert sheet.drawing == drawing(stroke(1))


def test_undo_takes_a_closed_polygon_back_whole():
    sheet = drawn(1)
    polygon = {"type": "Polygon"}
    send(sheet, stroke(1), polygon)
    send(sheet, stroke(1), lines(3))
    assert sheet.between == 3 and len(sheet.earlier) == 2
    send(sheet, stroke(1))
    assert sheet.between == 0 and [len(sheet.earlier), len(sheet.later)] == [1, 1]


def test_only_a_path_of_straight_lines_is_an_open_polygon():
    assert unclosed_corners(drawing({"type": "Rect"}, lines(3))) == 3
    assert unclosed_corners(drawing(lines(3), {"type": "Polygon"})) == 0
    assert unclosed_corners(drawing(stroke(1))) == 0
    assert unclosed_corners(drawing()) == unclosed_corners(None) == 0
