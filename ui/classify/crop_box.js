// A picture with a box over it; see crop_box.py for why. Edges are shares of width and height, 0..1, throughout.

const frames = new WeakMap();
const WAIT = 300; // milliseconds after the last arrow key: holding a key down counts as one change

export default function ({ parentElement, data, setTriggerValue }) {
  let frame = frames.get(parentElement);
  if (!frame) frames.set(parentElement, (frame = open(parentElement)));
  frame.send = (box) => setTriggerValue("cropped", { picture: frame.data.picture, box });
  // Only the person moves the box: a late answer must not move it back.
  if (frame.data?.picture !== data.picture) {
    frame.box = data.box;
    frame.refused = false;
  }
  frame.data = data;
  if (frame.image.getAttribute("src") !== data.src) frame.image.src = data.src;
  frame.image.alt = data.alt;
  frame.stage.setAttribute("aria-label", `${data.alt}. ${data.keys}`);
  frame.name.textContent = data.name;
  frame.whole.textContent = data.whole;
  show(frame);
  return () => {
    clearTimeout(frame.timer);
    frame.root.remove();
    frames.delete(parentElement);
  };
}

function open(parent) {
  const element = (kind, name, inside) => {
    const child = document.createElement(kind);
    if (name) child.className = name;
    inside.append(child);
    return child;
  };
  const root = element("div", "", parent);
  const stage = element("div", "stage", root);
  const frame = { root, stage, data: null, box: null, drag: null, refused: false, timer: 0 };
  stage.tabIndex = 0;
  stage.setAttribute("role", "group");
  frame.image = element("img", "", stage);
  frame.image.draggable = false;
  frame.outline = element("div", "box", stage);
  for (const corner of ["lt", "rt", "lb", "rb"]) element("i", "", frame.outline).dataset.corner = corner;
  const below = element("div", "below", root);
  const texts = element("span", "", below);
  frame.name = element("b", "", texts);
  frame.hint = element("b", "", texts);
  frame.texts = texts;
  frame.hint.setAttribute("role", "status");
  frame.whole = element("button", "", below);
  frame.whole.type = "button";
  frame.whole.onclick = () => settle(frame, null);
  stage.onpointerdown = (event) => begin(frame, event);
  stage.onpointermove = (event) => frame.drag?.pointer === event.pointerId && move(frame, event);
  stage.onpointerup = (event) => frame.drag?.pointer === event.pointerId && end(frame);
  stage.onpointercancel = () => cancel(frame);
  stage.onkeydown = (event) => key(frame, event);
  return frame;
}

function show(frame) {
  const box = frame.drag?.box ?? frame.box;
  frame.outline.hidden = !box;
  frame.whole.hidden = !frame.box;
  if (box) {
    const [left, top, right, bottom] = box.map((edge) => 100 * edge);
    Object.assign(frame.outline.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
  }
  frame.hint.textContent = frame.refused ? frame.data.refused : frame.box ? frame.data.cropped : frame.data.hint;
  frame.texts.classList.toggle("refused", frame.refused);
}

function settle(frame, box) {
  frame.box = box;
  frame.refused = false;
  show(frame);
  frame.send(box);
}

function at(frame, event) {
  const area = frame.stage.getBoundingClientRect();
  return [limit((event.clientX - area.left) / area.width, 0, 1), limit((event.clientY - area.top) / area.height, 0, 1)];
}

function begin(frame, event) {
  if (frame.drag || event.button !== 0 || !event.isPrimary) return;
  frame.stage.setPointerCapture(event.pointerId);
  const target = event.composedPath()[0];
  const corner = target.dataset?.corner;
  const kind = corner ? "corner" : target === frame.outline ? "move" : "new";
  frame.drag = { pointer: event.pointerId, kind, corner, from: at(frame, event), before: frame.box, box: frame.box };
}

function move(frame, event) {
  const { kind, corner, from, before } = frame.drag;
  const [x, y] = at(frame, event);
  if (kind === "new") {
    frame.drag.box = [Math.min(x, from[0]), Math.min(y, from[1]), Math.max(x, from[0]), Math.max(y, from[1])];
  } else if (kind === "move") {
    frame.drag.box = moved(before, x - from[0], y - from[1]);
  } else {
    const least = frame.data.least;
    const [left, top, right, bottom] = before;
    frame.drag.box = [
      corner[0] === "l" ? limit(left + x - from[0], 0, right - least) : left,
      corner[1] === "t" ? limit(top + y - from[1], 0, bottom - least) : top,
      corner[0] === "r" ? limit(right + x - from[0], left + least, 1) : right,
      corner[1] === "b" ? limit(bottom + y - from[1], top + least, 1) : bottom,
    ];
  }
  show(frame);
}

function end(frame) {
  const { kind, box, before } = frame.drag;
  frame.drag = null;
  const small = !box || box[2] - box[0] < frame.data.least || box[3] - box[1] < frame.data.least;
  if (kind === "new" && (small || box === before)) {
    frame.refused = true; // a click, or a few pixels: the box before it stays
    show(frame);
  } else if (box !== before) settle(frame, box);
}

function cancel(frame) {
  frame.drag = null;
  show(frame);
}

// Arrow keys move the box, with Shift they move its right and lower edge; the first one makes a box.
function key(frame, event) {
  const step = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] }[event.key];
  if (event.key === "Escape" && frame.drag) cancel(frame);
  else if ((event.key === "Delete" || event.key === "Backspace") && frame.box) {
    event.preventDefault();
    clearTimeout(frame.timer);
    settle(frame, null);
  } else if (step && !frame.drag) {
    event.preventDefault();
    const [left, top, right, bottom] = frame.box ?? [0.2, 0.2, 0.8, 0.8];
    const least = frame.data.least;
    if (!frame.box) frame.box = [left, top, right, bottom];
    else if (!event.shiftKey) frame.box = moved(frame.box, ...step);
    else frame.box = [left, top, limit(right + step[0], left + least, 1), limit(bottom + step[1], top + least, 1)];
    frame.refused = false;
    show(frame);
    clearTimeout(frame.timer);
    frame.timer = setTimeout(() => frame.send(frame.box), WAIT);
  }
}

function moved([left, top, right, bottom], x, y) {
  const across = limit(x, -left, 1 - right), down = limit(y, -top, 1 - bottom);
  return [left + across, top + down, right + across, bottom + down];
}

function limit(value, lowest, highest) {
  return Math.min(Math.max(value, lowest), highest);
}
