// A window on its way over a picture; see window_walk.py for what `data` holds. `step` is what someone chose or what is
// played; pointing at a pixel previews its step, a click or tap chooses it.

const walks = new WeakMap();
const PACES = [{ name: "1×", wait: 500 }, { name: "4×", wait: 125 }, { name: "16×", wait: 32 }];

export default function ({ parentElement, data }) {
  let walk = walks.get(parentElement);
  if (!walk) walks.set(parentElement, (walk = open(parentElement)));
  const size = `${data.input.length} ${data.output.length} ${data.output[0].length} ${data.field} ${data.stride}`;
  if (walk.size !== size) {
    stop(walk);
    walk.step = data.start;
  }
  walk.size = size;
  walk.data = data;
  walk.shown = null;
  prepare(walk);
  show(walk);
  return () => {
    stop(walk);
    walk.root.remove();
    walks.delete(parentElement);
  };
}

function element(kind, name, inside) {
  const child = document.createElement(kind);
  if (name) child.className = name;
  inside.append(child);
  return child;
}

function open(parent) {
  const root = element("div", "walk", parent);
  const walk = { root, data: null, size: "", step: 0, shown: null, pace: 0, timer: 0 };
  const controls = element("div", "controls", root);
  const button = (name, label, act) => {
    const made = element("button", name, controls);
    made.type = "button";
    made.textContent = label;
    made.onclick = act;
    return made;
  };
  const go = (by) => () => {
    stop(walk);
    choose(walk, walk.step + by());
  };
  const width = () => walk.data.output[0].length;
  walk.play = button("play", "", () => (walk.timer ? (stop(walk), show(walk)) : play(walk)));
  walk.speed = button("speed", "", () => {
    walk.pace = (walk.pace + 1) % PACES.length;
    if (walk.timer) play(walk);
    show(walk);
  });
  button("back", "‹ Back", go(() => -1));
  button("next", "Next ›", go(() => 1));
  button("up", "Row up", go(() => -width()));
  button("down", "Row down", go(width));
  walk.slider = element("input", "", controls);
  walk.slider.type = "range";
  walk.slider.min = 1;
  walk.slider.setAttribute("aria-label", "Step");
  walk.slider.oninput = () => {
    stop(walk);
    choose(walk, Number(walk.slider.value) - 1);
  };
  walk.place = element("output", "", controls);
  const panels = element("div", "panels", root);
  walk.input = panel(walk, panels, "input", (row, column) => {
    const { before, stride, field, output } = walk.data;
    const corner = (at, most) => Math.min(Math.max(Math.round((at - (field - 1) / 2) / stride), 0), most - 1);
    return corner(row, output.length) * output[0].length + corner(column, output[0].length);
  });
  walk.sum = element("section", "", panels);
  walk.output = panel(walk, panels, "output", (row, column) => row * walk.data.output[0].length + column);
  return walk;
}

// A picture whose pixels answer to pointing and choosing; `stepAt` says which step a pixel stands for.
function panel(walk, inside, name, stepAt) {
  const figure = element("figure", name, inside);
  const frame = element("div", "", figure);
  const image = element("img", "", frame);
  const at = (event) => {
    const box = frame.getBoundingClientRect(), values = walk.data[name];
    const cell = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    return stepAt(
      cell((event.clientY - box.top) / box.height, values.length),
      cell((event.clientX - box.left) / box.width, values[0].length),
    );
  };
  frame.onpointermove = (event) => {
    if (walk.timer || event.pointerType === "touch") return;
    walk.shown = at(event);
    show(walk);
  };
  frame.onpointerleave = () => {
    walk.shown = null;
    show(walk);
  };
  frame.onclick = (event) => {
    stop(walk);
    choose(walk, at(event));
  };
  return { figure, frame, image, caption: element("figcaption", "", figure) };
}

function prepare(walk) {
  const { data } = walk;
  walk.count = data.output.length * data.output[0].length;
  walk.step = Math.min(walk.step, walk.count - 1);
  walk.slider.max = walk.count;
  walk.input.image.src = data.input_image;
  walk.output.image.src = data.output_image;
  walk.input.caption.textContent = data.source;
  walk.output.caption.textContent = `${data.result}, so far`;
}

function show(walk) {
  const { data } = walk, width = data.output[0].length;
  const step = walk.shown ?? walk.step;
  const row = Math.floor(step / width), column = step % width;
  const top = row * data.stride, left = column * data.stride;
  const height = data.input.length, across = data.input[0].length;
  boxes(walk.input.frame, [
    ...(data.inner < across ? [["edge", data.before, data.before, data.inner, data.inner, across, height]] : []),
    ["window", left, top, data.field, data.field, across, height],
  ]);
  const rows = data.output.length;
  boxes(walk.output.frame, [
    ["cover", column + 1, row, width - column - 1, 1, width, rows],
    ["cover", 0, row + 1, width, rows - row - 1, width, rows],
    ["window", column, row, 1, 1, width, rows],
  ]);
  walk.input.image.alt = `${data.source}; the window is at row ${top + 1}, column ${left + 1}`;
  walk.output.image.alt = `The output up to row ${row + 1}, column ${column + 1}`;
  const place = `Row ${row + 1}, column ${column + 1}`;
  walk.place.textContent = place;
  walk.slider.value = walk.step + 1;
  walk.slider.setAttribute("aria-valuetext", `${place}: ${text(data.output[row][column])}`);
  walk.play.textContent = walk.timer ? "⏸ Pause" : "▶ Play";
  walk.speed.textContent = PACES[walk.pace].name;
  walk.speed.setAttribute("aria-label", `Speed ${PACES[walk.pace].name}`);
  calculate(walk, row, column, top, left);
}

function boxes(frame, wanted) {
  frame.querySelectorAll("i").forEach((box) => box.remove());
  for (const [kind, left, top, wide, high, width, height] of wanted) {
    if (wide <= 0 || high <= 0) continue;
    const box = element("i", kind, frame);
    box.style.left = `${(100 * left) / width}%`;
    box.style.top = `${(100 * top) / height}%`;
    box.style.width = `${(100 * wide) / width}%`;
    box.style.height = `${(100 * high) / height}%`;
  }
}

// The window's cells, and the value computed from them.
function calculate(walk, row, column, top, left) {
  const { data, sum } = walk;
  const window = Array.from({ length: data.field }, (_, y) => data.input[top + y].slice(left, left + data.field));
  const value = data.output[row][column];
  sum.replaceChildren();
  const table = element("table", data.field > 4 ? "large" : "", sum);
  let largest = null, total = 0;
  for (const found of window.flat()) if (found !== null && (largest === null || found > largest)) largest = found;
  window.forEach((cells, y) => {
    const line = table.insertRow();
    cells.forEach((cell, x) => {
      const box = line.insertCell();
      if (!data.weights) {
        box.textContent = cell === null ? "–" : text(cell);
        if (cell !== null && cell === largest) {
          box.className = "best";
          largest = undefined; // the first of equal ones
        }
        return;
      }
      const weight = data.weights[y][x], product = cell * weight;
      total += product;
      element("small", "", box).textContent = `${text(cell)} × ${text(weight)}`;
      box.append(text(product));
      box.className = product > 0 ? "plus" : product < 0 ? "minus" : "";
    });
  });
  const lines = element("p", "", sum);
  const say = (words, number) => {
    if (lines.childNodes.length) element("br", "", lines);
    lines.append(`${words} `);
    element("b", "", lines).textContent = text(number);
  };
  if (!data.weights) say("Largest:", value);
  else {
    say(`Sum of the ${data.field ** 2} products:`, data.bias ? total : value);
    if (data.bias) say(`Plus bias ${text(data.bias)}:`, value);
  }
  for (const { name, values } of data.after) say(`After ${name}:`, values[row][column]);
}

// A number in as few digits as a cell can hold, with a real minus sign.
function text(value) {
  const size = Math.abs(value);
  const digits = value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return Number(digits) === 0 ? "0" : digits.replace("-", "−");
}

function choose(walk, step) {
  walk.step = Math.min(Math.max(step, 0), walk.count - 1);
  walk.shown = null;
  show(walk);
}

function play(walk) {
  clearInterval(walk.timer);
  if (walk.step >= walk.count - 1) walk.step = 0;
  walk.timer = setInterval(() => {
    if (walk.step + 1 >= walk.count - 1) stop(walk);
    choose(walk, walk.step + 1);
  }, PACES[walk.pace].wait);
  walk.shown = null;
  show(walk);
}

function stop(walk) {
  clearInterval(walk.timer);
  walk.timer = 0;
}
