// Points on a canvas; see point_map.py for what `data` holds. `map.scale` and `map.middle` say what part is in view.

const maps = new WeakMap();
const REACH = { mouse: 10, pen: 14, touch: 22 }; // CSS pixels around a pointer
const FURTHEST = 60; // times the whole map

export default function ({ parentElement, data, setTriggerValue }) {
  let map = maps.get(parentElement);
  if (!map) maps.set(parentElement, (map = open(parentElement)));
  if (map.revision !== data.revision) {
    map.scale = 1;
    map.middle = null;
    map.at = -1;
  }
  const groups = data.groups.map((group) => group.name).join();
  if (map.groups !== groups) map.hidden = new Set();
  map.groups = groups;
  map.revision = data.revision;
  map.data = data;
  map.pick = (number) => setTriggerValue("picked", { index: data.indices[number] });
  map.canvas.setAttribute("aria-label", data.label);
  map.picture.style.backgroundImage = `url(${data.sheet})`;
  map.picture.style.backgroundSize = `${100 * data.columns}% ${100 * data.rows}%`;
  legend(map);
  paint(map);
  return () => {
    map.observer.disconnect();
    map.root.remove();
    maps.delete(parentElement);
  };
}

function element(kind, name, inside) {
  const child = document.createElement(kind);
  if (name) child.className = name;
  inside.append(child);
  return child;
}

function open(parent) {
  const root = element("div", "map", parent);
  const map = { root, data: null, revision: null, groups: "", hidden: new Set(), scale: 1, middle: null, at: -1, drag: null };
  map.canvas = element("canvas", "", root);
  map.canvas.tabIndex = 0;
  map.canvas.setAttribute("role", "application");
  const bar = element("div", "zoom", root);
  for (const [words, sign, times] of [["Zoom in", "+", 1.6], ["Zoom out", "−", 1 / 1.6], ["Show everything", "⤢", 0]]) {
    const button = element("button", "", bar);
    button.type = "button";
    button.textContent = sign;
    button.title = words;
    button.setAttribute("aria-label", words);
    button.onclick = () => zoom(map, times);
  }
  map.legend = element("div", "legend", root);
  map.tip = element("div", "tip", root);
  map.tip.hidden = true;
  map.tip.setAttribute("role", "status");
  map.picture = element("i", "", map.tip);
  map.words = element("span", "", map.tip);
  map.observer = new ResizeObserver(() => map.data && paint(map));
  map.observer.observe(map.canvas);
  listen(map);
  return map;
}

function listen(map) {
  const { canvas } = map;
  canvas.onpointerdown = (event) => {
    map.drag = { x: event.offsetX, y: event.offsetY, moved: false };
    if (event.pointerType === "mouse") canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointermove = (event) => {
    const { drag } = map;
    if (drag && event.pointerType === "mouse" && event.buttons) {
      const by = [event.offsetX - drag.x, event.offsetY - drag.y];
      if (drag.moved || Math.hypot(...by) > 4) {
        const view = viewOf(map);
        map.middle = [map.middle[0] - by[0] / view.unit, map.middle[1] + by[1] / view.unit];
        map.drag = { x: event.offsetX, y: event.offsetY, moved: true };
        tell(map, -1);
        paint(map);
      }
      return;
    }
    tell(map, nearest(map, event.offsetX, event.offsetY, REACH[event.pointerType] ?? REACH.mouse));
  };
  canvas.onpointerleave = () => tell(map, -1);
  canvas.onpointercancel = () => (map.drag = null);
  canvas.onclick = (event) => {
    const moved = map.drag?.moved;
    map.drag = null;
    if (moved) return;
    const number = nearest(map, event.offsetX, event.offsetY, REACH[event.pointerType] ?? REACH.mouse);
    tell(map, number);
    if (number >= 0) map.pick(number);
  };
  canvas.ondblclick = () => zoom(map, 0);
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    zoom(map, event.deltaY < 0 ? 1.25 : 0.8, event.offsetX, event.offsetY);
  }, { passive: false });
  canvas.onkeydown = (event) => {
    const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (ways[event.key]) tell(map, beside(map, ways[event.key]));
    else if (event.key === "Enter" && map.at >= 0) map.pick(map.at);
    else if (event.key === "+") zoom(map, 1.6);
    else if (event.key === "-") zoom(map, 1 / 1.6);
    else return;
    event.preventDefault();
  };
}

// Where the data lie on the canvas: x = (value - middle) * unit + half the width.
function viewOf(map) {
  const { positions } = map.data, width = map.canvas.clientWidth, height = map.canvas.clientHeight;
  if (map.bounds?.positions !== positions) {
    const ends = [0, 1].map((axis) => positions.reduce(([low, high], point) => [Math.min(low, point[axis]), Math.max(high, point[axis])],
      [Infinity, -Infinity]));
    map.bounds = { positions, middle: ends.map(([low, high]) => (low + high) / 2), reach: ends.map(([low, high]) => high - low || 1) };
  }
  map.middle ??= map.bounds.middle;
  const unit = map.scale * 0.94 * Math.min(width / map.bounds.reach[0], height / map.bounds.reach[1]);
  const place = ([x, y]) => [(x - map.middle[0]) * unit + width / 2, height / 2 - (y - map.middle[1]) * unit];
  return { width, height, unit, place };
}

function paint(map) {
  const { canvas, data } = map, dense = window.devicePixelRatio || 1, view = viewOf(map);
  if (!view.width) return;
  if (canvas.width !== Math.round(view.width * dense) || canvas.height !== Math.round(view.height * dense)) {
    canvas.width = Math.round(view.width * dense);
    canvas.height = Math.round(view.height * dense);
  }
  const brush = canvas.getContext("2d");
  brush.setTransform(dense, 0, 0, dense, 0, 0);
  brush.clearRect(0, 0, view.width, view.height);
  map.places = canvas.places = data.positions.map(view.place);
  map.shown = [];
  for (const group of data.groups) {
    if (map.hidden.has(group.name)) continue;
    brush.fillStyle = group.colour;
    brush.globalAlpha = group.opacity;
    for (const number of group.members) {
      const [x, y] = map.places[number];
      map.shown.push(number);
      if (x < -9 || y < -9 || x > view.width + 9 || y > view.height + 9) continue;
      brush.beginPath();
      brush.arc(x, y, group.size, 0, 7);
      brush.fill();
    }
  }
  brush.globalAlpha = 1;
  brush.lineWidth = 3;
  const ring = (place, colour, radius) => {
    brush.strokeStyle = colour;
    brush.beginPath();
    brush.arc(...place, radius, 0, 7);
    brush.stroke();
  };
  if (data.mark) ring(view.place(data.mark), data.ring, 10);
  if (map.at >= 0) ring(map.places[map.at], getComputedStyle(map.root).color, 6);
  canvas.dataset.points = map.shown.length; // says that they are there
}

function nearest(map, x, y, reach) {
  let found = -1, least = reach;
  for (const number of map.shown ?? []) {
    const far = Math.hypot(map.places[number][0] - x, map.places[number][1] - y);
    if (far < least) [found, least] = [number, far];
  }
  return found;
}

// The nearest point in a direction, within 45 degrees of it.
function beside(map, [right, down]) {
  if (map.at < 0 || !map.shown.includes(map.at)) return nearest(map, map.canvas.clientWidth / 2, map.canvas.clientHeight / 2, Infinity);
  const [x, y] = map.places[map.at];
  let found = map.at, least = Infinity;
  for (const number of map.shown) {
    const by = [map.places[number][0] - x, map.places[number][1] - y];
    const along = by[0] * right + by[1] * down, across = Math.abs(by[0] * down) + Math.abs(by[1] * right);
    if (along > 0.5 && across <= along && along + across < least) [found, least] = [number, along + across];
  }
  return found;
}

// Show a point's picture beside it.
function tell(map, number) {
  const changed = map.at !== number;
  map.at = number;
  map.tip.hidden = number < 0;
  map.canvas.style.cursor = number < 0 ? "" : "pointer";
  if (number >= 0) {
    const { columns, rows, words } = map.data, column = number % columns, row = Math.floor(number / columns);
    map.picture.style.backgroundPosition = `${columns > 1 ? (100 * column) / (columns - 1) : 0}% ${rows > 1 ? (100 * row) / (rows - 1) : 0}%`;
    map.words.textContent = words[number];
    const [x, y] = map.places[number], width = 104, height = 150;
    map.tip.style.left = `${Math.max(0, x + 14 + width > map.canvas.clientWidth ? x - width - 14 : x + 14)}px`;
    map.tip.style.top = `${Math.max(0, Math.min(y - 40, map.canvas.clientHeight - height))}px`;
  }
  if (changed) paint(map);
}

// Around a place of the canvas, or around the point that was pointed at last; 0 shows everything.
function zoom(map, times, x, y) {
  const before = viewOf(map);
  if (!times) {
    map.scale = 1;
    map.middle = map.bounds.middle;
  } else {
    const at = x === undefined ? [before.width / 2, before.height / 2] : [x, y];
    const kept = [map.middle[0] + (at[0] - before.width / 2) / before.unit, map.middle[1] - (at[1] - before.height / 2) / before.unit];
    map.scale = Math.min(Math.max(map.scale * times, 1), FURTHEST);
    const { unit } = viewOf(map);
    map.middle = [kept[0] - (at[0] - before.width / 2) / unit, kept[1] + (at[1] - before.height / 2) / unit];
    if (map.scale === 1) map.middle = map.bounds.middle;
  }
  tell(map, -1);
  paint(map);
}

function legend(map) {
  map.legend.replaceChildren(...map.data.groups.map((group) => {
    const button = document.createElement("button");
    button.type = "button";
    element("i", "", button).style.background = group.colour;
    button.append(group.name);
    const press = () => button.setAttribute("aria-pressed", String(!map.hidden.has(group.name)));
    press();
    button.onclick = () => {
      if (!map.hidden.delete(group.name)) map.hidden.add(group.name);
      press();
      tell(map, -1);
      paint(map);
    };
    return button;
  }));
}
