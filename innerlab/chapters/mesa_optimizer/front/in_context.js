/** In-context learning by hand: points to drag, and the lines that trained layers and textbook learners draw from them. */

import { axes, median, path, ticks } from "../../../widgets/front/chart.js";
import { button, choice, follow, frame, h, responsive, svg } from "../../../widgets/front/dom.js";
import { generator, normal } from "../../../widgets/front/random.js";

const MOST = 16; // points
const HEIGHT = 320, SQUARE = 250; // of the plane, and of the chart of weights
const INTENDED = 1, PROXY = 2; // where the labels stand in a token

/**
 * @typedef {object} Layers
 * @property {number[][]} key what each layer's query looks for in a token
 * @property {number[][]} value what a token adds to each layer's prediction
 */

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const mean = (numbers) => sum(numbers) / numbers.length;
const dot = (a, b) => sum(a.map((value, i) => value * b[i]));

/**
 * What each layer predicts for the input 1; its predictions are linear in the input.
 * @param {Layers} layers
 * @param {number[][]} tokens
 */
export function slopes({ key, value }, tokens) {
  return key.map((k, layer) => mean(tokens.map((token) => dot(k, token) * dot(value[layer], token))));
}

/** The slope after one step of gradient descent from zero on the squared errors of one label. */
export function oneStep(tokens, label, step) {
  return step * mean(tokens.map((token) => token[0] * token[label]));
}

/** The slope with the least squared errors plus a penalty on its square; zero where nothing is known. */
export function ridge(tokens, label, penalty) {
  const squares = sum(tokens.map((token) => token[0] * token[0])) + penalty;
  return squares ? sum(tokens.map((token) => token[0] * token[label])) / squares : 0;
}

/** How much of each label goes into each layer's prediction: the weights of the intended label and of the proxy. */
export function weights({ key, value }) {
  return key.map((k, layer) => [INTENDED, PROXY].map((label) => k[0] * value[layer][label] + k[label] * value[layer][0]));
}

/**
 * A new task: inputs, intended labels on a line through zero with noise, and proxies on the same line or on another.
 * @param {{seed: number, count: number, box: number[], noise: number[], apart: boolean}} options noise on either label
 * @returns {number[][]} tokens that lie in the box, in two decimals
 */
export function drawn({ seed, count, box: [wide, high], noise, apart }) {
  const random = generator(seed);
  let tokens;
  let tries = 0;
  do {
    const [line, other] = [normal(random), normal(random)];
    tokens = Array.from({ length: count }, () => {
      const x = normal(random);
      return [x, line * x + noise[0] * normal(random), (apart ? other : line) * x + noise[1] * normal(random)];
    });
    tries += 1;
  } while (tries < 1000 && tokens.some(([x, label, proxy]) => Math.abs(x) > wide || Math.abs(label) > high || Math.abs(proxy) > high));
  return tokens.map((token) => placed(token, [wide, high]));
}

/** A token inside the box, in two decimals. */
export function placed([x, label, proxy], [wide, high]) {
  const within = (value, most) => Number(Math.min(Math.max(value, -most), most).toFixed(2)) + 0; // no minus zero
  return [within(x, wide), within(label, high), within(proxy, high)];
}

/** Whose labels layers follow, in words, from their weights. */
export function verdict(pairs) {
  const reading = pairs.filter(([label, proxy]) => label + proxy > 0.1);
  const deaf = pairs.length - reading.length;
  const left = deaf ? ` ${deaf} of ${pairs.length} layers read neither label.` : "";
  if (!reading.length) return left.trim();
  const shares = reading.map(([label, proxy]) => Math.round((100 * proxy) / (label + proxy)));
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  const follows = low > 80 ? "they follow the proxy" : high < 20 ? "they follow the intended label" : high - low > 30 ? "each blends the two in its own way" : "a blend of the two";
  return `The layers put ${low === high ? low : `${low} to ${high}`} % of their weight on the proxy: ${follows}.${left}`;
}

export function render({ model, el }) {
  const get = (name) => model.get(name);
  frame(el, get("alt")).classList.add("il-in-context");
  const [conditions, box] = ["conditions", "box"].map(get);
  let selected = 0;
  let quiet = false;
  let shape = ""; // how many points and marks the plane was drawn for
  let move = () => {};

  function set(traits, words = "") {
    quiet = true; // until all of them are there
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    quiet = false;
    model.save_changes();
    show(words);
  }

  // What there is to see and to press.
  const plane = h("div");
  const words = h("p", { class: "il-says", role: "status" });
  const labels = choice("Labels of a point", ["one", "two: intended and proxy"], Number(get("two")), (at) => set({ two: at === 1 }));
  const trained = choice("Trained with", conditions.map(({ name }) => name), get("condition"), (at) => set({ condition: at }));
  const tied = choice("Proxies", ["move with the intended ones", "decoupled"], Number(get("apart")), (at) => set(...(at ? decoupled() : coupled())));
  const add = button("Add a point", () => {
    selected = get("points").length;
    set({ points: [...get("points"), added()] }, `Point ${selected + 1} is new.`);
  });
  const remove = button("Remove point 1", () => {
    const gone = selected;
    const points = get("points").filter((_, i) => i !== gone);
    selected = Math.min(gone, points.length - 1);
    set({ points }, `Point ${gone + 1} is removed.`);
  });
  const again = button("New task", () => {
    const task = get("drawn") + 1;
    set({ drawn: task, points: fresh(task, get("points").length) }, "A new task.");
  }, { class: "il-main" });
  const reset = button("Reset", () => {
    selected = 0;
    set({ points: get("first"), apart: false }, "The first points.");
  });
  const table = h("tbody");
  const learned = h("tbody");
  const chart = h("div");
  const second = h("div", { class: "il-two" }, chart,
    h("div", {}, h("p", { class: "il-hint" }, "Weight on each label. Each dot is a layer; the cross, or the dashed line, is the exact law."),
      h("table", { class: "il-found" }, heads("", "intended", "proxy"), learned)));
  el.append(
    h("div", { class: "il-two" },
      h("div", {}, plane, h("p", { class: "il-hint" }, "Drag the points, or move one with the arrow keys, with Shift in small steps."),
        h("table", { class: "il-found" }, heads("line", "slope"), table)),
      h("div", {}, labels, trained, tied, h("p", { class: "il-actions" }, again, add, remove, reset))),
    words, second,
  );

  function heads(...names) {
    return h("thead", {}, h("tr", {}, ...names.map((name) => (name ? h("th", { scope: "col" }, name) : h("td")))));
  }

  // Changing the points.
  const fresh = (seed, count) => drawn({ seed, count, box, noise: get("two") ? layers().noise : [get("noise"), 0], apart: get("two") && get("apart") });
  function added() {
    const [x] = fresh(1000 * get("points").length + get("drawn"), 1)[0];
    return placed([x, ...[INTENDED, PROXY].map((label) => x * ridge(get("points"), label, 0))], box);
  }
  const decoupled = () => [{ apart: true, points: get("points").map(([x, label]) => placed([x, label, -label], box)) }, "The proxies are turned upside down."];
  const coupled = () => [{ apart: false, points: get("points").map(([x, label]) => [x, label, label]) }, "The proxies are as the intended labels."];

  /** Put a point's input and one of its labels somewhere; its other label comes along unless they are apart. */
  function put(which, label, x, y) {
    const points = get("points").map((token) => [...token]);
    const by = placed([0, y, 0], box)[1] - points[which][label];
    const along = get("two") && get("apart") ? [label] : [INTENDED, PROXY];
    points[which][0] = x;
    for (const one of along) points[which][one] += by;
    points[which] = placed(points[which], box);
    selected = which;
    set({ points }, null);
  }
  const kinds = () => (get("two") ? [INTENDED, PROXY] : [INTENDED]);
  const called = (label) => (label === PROXY ? "proxy" : get("two") ? "intended label" : "label");
  const about = (which) => `Point ${which + 1} at ${get("points")[which][0]}: ${kinds().map((label) => `${called(label)} ${get("points")[which][label]}`).join(", ")}.`;

  // What the learners make of them.
  const layers = () => (get("two") ? conditions[get("condition")] : get("layers"));
  function lines() {
    const points = get("points");
    const step = (label) => oneStep(points, label, get("steps")[Number(get("two"))]);
    const tokens = get("two") ? points : points.map((token) => token.slice(0, PROXY));
    const theirs = slopes(layers(), tokens);
    const rulers = get("two")
      ? [{ name: "step on intended", slope: step(INTENDED) }, { name: "step on proxies", slope: step(PROXY) }]
      : [{ name: "one step", slope: step(INTENDED) }, { name: get("penalty") ? "ridge" : "least squares", slope: ridge(points, INTENDED, get("penalty")) }];
    return { theirs, rulers };
  }

  // Drawing.
  const redraw = responsive(plane, (width) => {
    const { root, plot, x, y } = axes({ width, height: HEIGHT, x: [-box[0], box[0]], y: [-box[1], box[1]], xlabel: "input", ylabel: "label" });
    root.removeAttribute("aria-hidden");
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "Points");
    const focused = plane.contains(document.activeElement) ? document.activeElement.dataset.mark : "";
    const marks = get("points").flatMap((_, which) => kinds().map((label) => ({ which, label, el: mark(which, label) })));
    const [many, middle, first, other] = ["il-line", "il-median", "il-ruler-0", "il-ruler-1"].map((name) => svg("path", { class: name }));
    plot.append(svg("path", { class: "il-cross", d: `M${x(-box[0])} ${y(0)}H${x(box[0])}M${x(0)} ${y(-box[1])}V${y(box[1])}` }), many, middle, first, other, ...marks.map((one) => one.el));

    function mark(which, label) {
      const free = label === INTENDED || get("apart");
      const shape = label === INTENDED ? "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0" : "M0 -11L10 7H-10Z";
      const its = svg("g", { class: `il-point il-point-${label}`, "data-mark": `${which} ${label}`, ...(free ? { tabindex: "0", role: "slider", "aria-roledescription": "2D slider", "aria-valuemin": -box[1], "aria-valuemax": box[1] } : { "aria-hidden": "true" }) },
        svg("circle", { class: "il-reach", r: 14 }), svg("path", { d: shape }));
      its.addEventListener("keydown", (event) => {
        const [across, up] = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key] ?? [0, 0];
        if (!free || (!across && !up)) return;
        event.preventDefault();
        const size = event.shiftKey ? 0.05 : 0.25;
        const token = get("points")[which];
        put(which, label, token[0] + across * size, token[label] + up * size);
        tell(about(which));
      });
      its.addEventListener("focus", () => choose(which));
      return its;
    }

    // Dragging: of marks that lie over each other, the one that is nearest to the pointer.
    let grip = null;
    root.addEventListener("touchstart", (event) => event.target.closest(".il-point") && event.preventDefault(), { passive: false }); // else a page scrolls
    root.addEventListener("pointerdown", (event) => {
      if (!event.target.closest(".il-point")) return;
      event.preventDefault();
      const [px, py] = at(event);
      const far = ({ which, label }) => Math.hypot(x(get("points")[which][0]) - px, y(get("points")[which][label]) - py);
      const nearest = marks.filter((one) => one.el.tabIndex === 0).reduce((best, one) => (far(one) < far(best) ? one : best));
      const token = get("points")[nearest.which];
      grip = { ...nearest, by: [x(token[0]) - px, y(token[nearest.label]) - py] };
      root.setPointerCapture(event.pointerId);
      nearest.el.focus();
    });
    root.addEventListener("pointermove", (event) => {
      if (!grip) return;
      const [px, py] = at(event);
      put(grip.which, grip.label, value(px + grip.by[0], x, box[0]), value(py + grip.by[1], y, box[1]));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      root.addEventListener(end, () => {
        if (grip) tell(about(grip.which));
        grip = null;
      });
    }
    const at = (event) => {
      const place = root.getBoundingClientRect();
      return [((event.clientX - place.left) / place.width) * width, ((event.clientY - place.top) / place.height) * HEIGHT];
    };
    /** Where a place of the drawing lies on an axis that runs from minus `most` to `most`. */
    const value = (pixel, scale, most) => most * ((2 * (pixel - scale(-most))) / (scale(most) - scale(-most)) - 1);
    const line = (slope) => {
      const far = Math.min(box[0], box[1] / Math.abs(slope));
      return path([x(-far), x(far)], [y(-far * slope), y(far * slope)]);
    };
    move = () => {
      const { theirs, rulers } = lines();
      many.setAttribute("d", theirs.map(line).join(""));
      middle.setAttribute("d", line(median(theirs)));
      first.setAttribute("d", line(rulers[0].slope));
      other.setAttribute("d", line(rulers[1].slope));
      for (const { which, label, el: its } of marks) {
        const token = get("points")[which];
        its.setAttribute("transform", `translate(${x(token[0]).toFixed(1)} ${y(token[label]).toFixed(1)})`);
        if (!its.hasAttribute("role")) continue;
        its.setAttribute("aria-label", `Point ${which + 1}${get("two") ? `, ${called(label)}` : ""}`);
        its.setAttribute("aria-valuenow", token[label]);
        its.setAttribute("aria-valuetext", `input ${token[0]}, ${called(label)} ${token[label]}`);
        its.classList.toggle("il-chosen", which === selected);
      }
    };
    move();
    if (focused) queueMicrotask(() => root.querySelector(`[data-mark="${focused}"][tabindex]`)?.focus());
    return root;
  });

  const halves = () => [0, 1].map((pick) => weights(conditions[get("condition")]).map((pair) => pair[pick]));
  const scope = [0, 1].map((pick) => {
    const values = conditions.flatMap((one) => [...weights(one), ...(one.law.length ? [one.law] : [])].map((pair) => pair[pick]));
    return [Math.min(0, ...values) - 0.08, Math.max(get("steps")[1], ...values) + 0.08];
  });
  const reweigh = responsive(chart, (width) => {
    const now = conditions[get("condition")];
    const { root, plot, x, y } = axes({
      width: Math.min(width, 360), height: SQUARE, x: scope[0], y: scope[1], xlabel: "weight on intended label", ylabel: "weight on proxy", alt: weighed(),
      xticks: ticks(...scope[0], 4).map((at) => ({ at, name: String(at) })),
    });
    for (const pair of weights(now)) plot.append(svg("circle", { class: "il-layer", r: 4, cx: x(pair[0]).toFixed(1), cy: y(pair[1]).toFixed(1) }));
    const total = get("steps")[1];
    plot.append(svg("path", now.law.length ? { class: "il-law", d: `M${x(now.law[0]) - 7} ${y(now.law[1]) - 7}l14 14m0 -14l-14 14` } : { class: "il-law il-open", d: `M${x(0)} ${y(total)}L${x(total)} ${y(0)}` }));
    return root;
  });
  function weighed() {
    const { law } = conditions[get("condition")];
    const [a, b] = halves().map(median).map(short);
    return `Median weights: ${a} on the intended label, ${b} on the proxy. ${law.length ? `The exact law: ${law.map(short).join(" and ")}.` : `The exact law fixes only their sum, ${short(get("steps")[1])}.`}`;
  }

  /** Show everything as it is now, and say so unless the words are null. */
  function show(news = "") {
    const [two, count] = [get("two"), get("points").length];
    follow(labels, Number(two));
    follow(trained, get("condition"));
    follow(tied, Number(get("apart")));
    trained.hidden = tied.hidden = second.hidden = !two;
    selected = Math.min(selected, count - 1);
    choose(selected);
    add.disabled = count >= MOST;
    remove.disabled = count <= 1;
    const now = JSON.stringify([count, two, get("apart")]);
    if (shape === now) move();
    else redraw();
    shape = now;
    const { theirs, rulers } = lines();
    const rows = [[`${theirs.length} layers, median`, short(median(theirs)), "il-median"], ["lowest", short(Math.min(...theirs))], ["highest", short(Math.max(...theirs))],
      ...rulers.map(({ name, slope }, i) => [name, short(slope), `il-ruler-${i}`])];
    table.replaceChildren(...rows.map(([name, slope, look]) => h("tr", {}, h("th", { scope: "row" }, sample(look), name), h("td", {}, slope))));
    if (two) {
      reweigh();
      const { law } = conditions[get("condition")];
      const each = halves();
      const of = (measure) => each.map((values) => short(measure(values)));
      const weightRows = [["median", ...of(median)], ["lowest", ...of((values) => Math.min(...values))], ["highest", ...of((values) => Math.max(...values))], ["exact law", ...(law.length ? law.map(short) : ["open", "open"])]];
      learned.replaceChildren(...weightRows.map(([name, ...cells]) => h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((cell) => h("td", {}, cell)))));
    }
    if (news !== null) tell(news);
  }
  function choose(which) {
    selected = which;
    remove.textContent = `Remove point ${which + 1}`;
    for (const its of plane.querySelectorAll(".il-point")) its.classList.toggle("il-chosen", its.dataset.mark.startsWith(`${which} `));
  }
  function tell(news) {
    const { theirs, rulers } = lines();
    const trainedOn = get("first").length;
    const count = get("points").length;
    const parts = [news, `Slopes: layers' median ${short(median(theirs))}, ${rulers.map(({ name, slope }) => `${name} ${short(slope)}`).join(", ")}.`];
    if (get("two")) parts.push(verdict(weights(conditions[get("condition")])));
    if (count !== trainedOn) parts.push(`The layers were trained on ${trainedOn} points.`);
    words.textContent = parts.filter(Boolean).join(" ");
  }
  const hear = () => quiet || show();
  for (const trait of ["points", "two", "apart", "condition"]) model.on(`change:${trait}`, hear);
  show();
}

const short = (value) => value.toFixed(2).replace(/^-(0\.00)$/, "$1");

/** A piece of a line, for a table. */
const sample = (look) => svg("svg", { viewBox: "0 0 34 14", class: "il-sample", "aria-hidden": "true" }, look ? svg("path", { class: look, d: "M1 7h32" }) : "");
