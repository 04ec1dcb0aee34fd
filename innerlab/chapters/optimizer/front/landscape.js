/** Four searches from one start on a landscape with two dimensions: where they go, and what they have found by when. */

import { axes, path } from "../../../widgets/front/chart.js";
import { button, choice, follow, frame, h, responsive, svg } from "../../../widgets/front/dom.js";
import { generator } from "../../../widgets/front/random.js";
import { LANDSCAPES, SEARCHES } from "./search.js";

const SIDE = 256; // points across the grid on which the landscape is drawn and its shares are counted
const LEVELS = 12; // shades of gray
const SIZE = 400; // of the drawing over it
const FRAMES = 60, PACE = 40; // of a run: how many pictures, and milliseconds for each
const STEP = 10; // evaluations
const NAMES = Object.keys(SEARCHES);

/** What the points of a grid cost, row by row from the upper left, and the same in order. */
export function surveyed(loss, box) {
  const at = (i) => -box + ((i + 0.5) * 2 * box) / SIDE;
  const depth = Float64Array.from({ length: SIDE * SIDE }, (_, i) => loss([at(i % SIDE), -at(Math.floor(i / SIDE))]));
  return { depth, sorted: depth.slice().sort() };
}

/** How many of some sorted numbers are no larger than a value. */
export function counted(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Optimization power against even draws: minus the logarithm, to base two, of the share that is as good or better. */
export function bits(sorted, value) {
  return Math.log2(sorted.length / Math.max(1, counted(sorted, value)));
}

/** What each search does from a start, moment after moment. */
export function traces(loss, { start, budget, box, seed }) {
  return NAMES.map((name, i) => [...SEARCHES[name]({ loss, start, budget, box, random: generator(1000 * seed + i) })]);
}

/** The number of moments that lie within so many evaluations. */
export const within = (trace, spent) => trace.findLastIndex((moment) => moment.spent <= spent) + 1;

export function render({ model, el }) {
  const get = (name) => model.get(name);
  frame(el, get("alt")).classList.add("il-landscape");
  const [names, budgets, box, lowest] = ["names", "budgets", "box", "lowest"].map(get);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let spent = 1;
  let timer = 0;
  let loss, survey, found;

  function set(traits) {
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    model.save_changes();
  }

  // What there is to see and to press.
  const ground = h("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
  const drawing = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, "aria-hidden": "true" });
  const map = h("div", {
    class: "il-map", tabindex: "0", role: "application", "aria-label": "Map. Arrow keys move the start, with Shift in small steps.",
    onclick: (event) => {
      const edges = map.getBoundingClientRect();
      const part = (at, from, size) => 2 * box * ((at - from) / size) - box;
      begin([part(event.clientX, edges.left, edges.width), -part(event.clientY, edges.top, edges.height)]);
    },
    onkeydown: (event) => {
      const [across, up] = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key] ?? [0, 0];
      if (!across && !up) return;
      event.preventDefault();
      const size = event.shiftKey ? 0.1 : 0.5;
      begin([get("start")[0] + across * size, get("start")[1] + up * size]);
    },
  }, ground, drawing);
  const kind = choice("Landscape", names, get("landscape"), (at) => set({ landscape: at }));
  const allowed = choice("Evaluations for each", budgets.map(String), budgets.indexOf(get("budget")), (at) => set({ budget: budgets[at] }));
  const seed = h("input", { type: "number", min: 0, max: 999999, step: 1, onchange: () => reseed(Math.trunc(seed.valueAsNumber)) });
  const go = button("Run", () => (timer ? halt() : run()), { class: "il-main" });
  const step = button("Step", () => {
    halt();
    show(Math.min(spent === 1 ? STEP : spent + STEP, get("budget")));
    tell();
  });
  const reset = button("Reset", () => {
    halt();
    show(1);
    tell();
  });
  const rows = NAMES.map((name, i) => {
    const cells = [h("td"), h("td")];
    const sample = svg("svg", { viewBox: "0 0 34 14", class: "il-sample", "aria-hidden": "true" }, svg("path", { class: `il-way il-way-${i}`, d: "M1 7h24" }), mark(i, 27, 7));
    return { cells, el: h("tr", {}, h("th", { scope: "row" }, sample, name), ...cells) };
  });
  const table = h("table", { class: "il-found" },
    h("thead", {}, h("tr", {}, ...["search", "best loss", "bits"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...rows.map((row) => row.el)));
  const words = h("p", { class: "il-says", role: "status" });
  const chart = h("div");
  el.append(
    h("div", { class: "il-two" },
      h("div", {}, map, h("p", { class: "il-hint" }, "Click the map to put the start (triangle) elsewhere, or move it with the arrow keys. Darker is lower, the cross is lowest.")),
      h("div", {}, kind, allowed,
        h("p", { class: "il-seed" }, h("label", {}, h("span", {}, "Seed"), seed), button("Another", () => reseed(get("seed") + 1))),
        h("p", { class: "il-actions" }, go, step, reset), table)),
    words, chart,
  );

  const clamp = (value) => Number(Math.min(Math.max(value, -box), box).toFixed(2));
  const begin = (start) => set({ start: start.map(clamp) });
  function reseed(value) {
    if (value >= 0 && value <= 999999) set({ seed: value });
    seed.value = String(get("seed"));
  }

  // Searching.
  function lay() {
    loss = (point) => LANDSCAPES[names[get("landscape")]](point, lowest);
    survey = surveyed(loss, box);
    shade();
  }
  function seek() {
    found = traces(loss, { start: get("start"), budget: get("budget"), box, seed: get("seed") });
  }
  const best = (i) => found[i][within(found[i], spent) - 1].best;
  const summary = () => NAMES.map((name, i) => `${name} ${bits(survey.sorted, best(i)).toFixed(1)}`).join(", ");

  // Drawing.
  const x = (value) => SIZE * (value + box) / (2 * box);
  const y = (value) => SIZE - x(value);

  function shade() {
    const image = ground.getContext("2d").createImageData(SIDE, SIDE);
    survey.depth.forEach((value, i) => {
      const level = Math.ceil(LEVELS * counted(survey.sorted, value) / survey.sorted.length);
      image.data.set([0, 0, 0].fill(112 + (level * 138) / LEVELS).concat(255), 4 * i);
    });
    ground.getContext("2d").putImageData(image, 0, 0);
  }

  const dots = (points) => points.map((at) => `M${x(at[0]).toFixed(1)} ${y(at[1]).toFixed(1)}h0`).join("");
  function overlay() {
    const gone = found.map((trace) => trace.slice(0, within(trace, spent)));
    const last = gone.map((trace) => trace[trace.length - 1]);
    const [startX, startY, lowX, lowY] = [x(get("start")[0]), y(get("start")[1]), x(lowest[0]), y(lowest[1])];
    drawing.replaceChildren(
      svg("path", { class: "il-lowest", d: `M${lowX - 6} ${lowY - 6}l12 12m0 -12l-12 12` }),
      svg("path", { class: "il-guesses", d: dots(gone[0].flatMap(({ tried }) => tried ?? [])) }),
      svg("path", { class: "il-family", d: dots(last[3].tried ?? []) }),
      ...[1, 3, 2].flatMap((i) => {
        const d = path(gone[i].map(({ at }) => x(at[0])), gone[i].map(({ at }) => y(at[1])));
        return [svg("path", { class: "il-halo", d }), svg("path", { class: `il-way il-way-${i}`, d })];
      }),
      svg("path", { class: "il-agent", d: `M${startX} ${startY - 9}l8 16h-16z` }),
      ...[0, 1, 3, 2].map((i) => mark(i, x(last[i].at[0]), y(last[i].at[1]))),
    );
  }

  lay();
  seek();
  const redraw = responsive(chart, (width) => {
    const most = Math.log2(SIDE * SIDE);
    const alt = `Bits against evaluations. ${summary()}`;
    const { root, plot, x: across, y: up } = axes({ width, height: 220, x: [1, get("budget")], y: [0, most], xlabel: "evaluations", ylabel: `bits (${most}: ${most} or more)`, alt });
    found.forEach((trace, i) => {
      const gone = trace.slice(0, within(trace, spent));
      const at = gone.map((moment) => across(moment.spent));
      plot.append(svg("path", { class: `il-way il-way-${i}`, d: path([...at, across(spent)], [...gone, gone[gone.length - 1]].map(({ best }) => up(bits(survey.sorted, best)))) }));
    });
    return root;
  });

  /** Show what is found after so many evaluations. */
  function show(now) {
    spent = now;
    overlay();
    redraw();
    rows.forEach(({ cells }, i) => {
      cells[0].textContent = rounded(best(i));
      cells[1].textContent = bits(survey.sorted, best(i)).toFixed(1);
    });
    step.disabled = spent === get("budget");
  }
  function tell() {
    const [across, up] = get("start");
    words.textContent = `The ${names[get("landscape")]} from (${across}, ${up}) with seed ${get("seed")}. Bits after ${spent} of ${get("budget")} evaluations: ${summary()}.`;
  }

  // Running.
  function halt() {
    if (timer) clearInterval(timer);
    timer = 0;
    go.textContent = "Run";
  }
  function run() {
    const budget = get("budget");
    const from = spent >= budget ? 1 : spent;
    const arrive = () => {
      halt();
      show(budget);
      tell();
    };
    if (still.matches) return arrive();
    show(from);
    go.textContent = "Stop";
    const each = Math.ceil(budget / FRAMES);
    timer = setInterval(() => (spent + each >= budget ? arrive() : show(spent + each)), PACE);
  }

  function search(toEnd = false) {
    halt();
    seek();
    show(toEnd ? get("budget") : Math.min(spent, get("budget")));
    tell();
  }
  let before = get("budget");
  model.on("change:landscape", () => {
    follow(kind, get("landscape"));
    lay();
    search();
  });
  model.on("change:budget", () => {
    follow(allowed, budgets.indexOf(get("budget")));
    search(spent === before);
    before = get("budget");
  });
  model.on("change:start", () => search());
  model.on("change:seed", () => {
    seed.value = String(get("seed"));
    search();
  });
  seed.value = String(get("seed"));
  show(1);
  tell();
  return halt;
}

/** A loss in few digits. */
const rounded = (value) => (value === 0 || value >= 1e-3 ? String(Number(value.toPrecision(3))) : value.toExponential(0));

/** Where a search stands: a ring, a square, a diamond, a wedge. */
function mark(i, x, y) {
  const shapes = ["m-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0", "m-5 -5h10v10h-10z", "m0 -6.5l6.5 6.5l-6.5 6.5l-6.5 -6.5z", "m-6 -5h12l-6 11z"];
  return svg("path", { class: `il-stands il-stands-${i}`, d: `M${x.toFixed(1)} ${y.toFixed(1)}${shapes[i]}` });
}
