/** A question whose answer is committed to before the figure that answers it is unveiled; then both are drawn together. */

import { axes, path } from "./chart.js";
import { button, choice, frame, h, responsive, slider, svg } from "./dom.js";
import { keep, recall } from "./store.js";
import { unveil, veil } from "./veil.js";

/** Whether a value is an answer to the question that a model asks: what is stored may be older than the question. */
export function fits(get, answer) {
  const within = (value) => typeof value === "number" && value >= get("low") && value <= get("high");
  if (get("kind") === "choice") return Number.isInteger(answer) && answer >= 0 && answer < get("options").length;
  if (get("kind") === "number") return within(answer);
  return Array.isArray(answer) && answer.length === get("points").length && answer.every(within);
}

/** The sentence about what the reader said, to stand before that of the run. */
export function said(get, answer) {
  if (answer === null) return "";
  if (get("kind") === "choice") return `You chose “${get("options")[answer]}”.`;
  if (get("kind") === "number") return `You said ${answer}${get("unit") && " " + get("unit")}.`;
  const off = answer.map((value, i) => Math.abs(value - get("truth")[i]));
  const worst = off.indexOf(Math.max(...off));
  return `Your line is off by at most ${off[worst].toFixed(2)}, at ${get("points")[worst]}.`;
}

export function render({ model, el }) {
  const get = (name) => model.get(name);
  frame(el, "Predict: " + get("question")).classList.add("il-predict");
  const stored = recall(get("name"));
  if (stored && !get("revealed") && (stored.answer === null || fits(get, stored.answer))) {
    model.set("answer", stored.answer);
    model.set("revealed", true);
    model.save_changes();
  }
  const body = h("div");
  const status = h("p", { class: "il-says", role: "status", tabindex: "-1" });
  const actions = h("p", { class: "il-actions" });
  el.append(h("p", { class: "il-kicker" }, "Predict"), h("p", { class: "il-question" }, get("question")), body, status, actions);

  let draft = get("answer");
  let kept = true;
  const end = () => reveal(null);

  function reveal(answer) {
    kept = keep(get("name"), { answer });
    model.set("answer", answer);
    model.set("revealed", true);
    model.save_changes();
  }

  function ask() {
    for (const name of get("unveils")) veil(name, end);
    draft = null;
    const commit = () => {
      if (draft === null) status.textContent = "Choose an answer first.";
      else reveal(draft);
    };
    body.replaceChildren(question(get, (value) => (draft = value)));
    actions.replaceChildren(button("Commit, then see", commit, { class: "il-main" }), button("Just show me", end));
    status.textContent = "";
  }

  function answer() {
    const focused = el.contains(document.activeElement);
    for (const name of get("unveils")) unveil(name, end);
    const forget = button("Take it back", () => {
      keep(get("name"), null);
      model.set("answer", null);
      model.set("revealed", false);
      model.save_changes();
    });
    body.replaceChildren(verdict(get));
    actions.replaceChildren(forget);
    const where = kept ? "Your answer stays in this browser." : "This browser keeps nothing; your answer lasts until you leave.";
    status.textContent = [said(get, get("answer")), get("says"), get("answer") === null ? "" : where].join(" ").trim();
    if (focused) status.focus({ preventScroll: true });
  }

  const update = () => (get("revealed") ? answer() : ask());
  model.on("change:revealed", update);
  update();
}

/** What the reader answers with. */
function question(get, change) {
  if (get("kind") === "choice") return choice("Your prediction", get("options"), null, change);
  if (get("kind") === "number") {
    const [low, step] = [get("low"), get("step")];
    const count = Math.round((get("high") - low) / step) + 1;
    const value = (i) => Number((low + i * step).toPrecision(12));
    const middle = Math.floor(count / 2);
    change(value(middle));
    return slider("Your prediction", count, middle, (i) => `${value(i)} ${get("unit")}`.trim(), (i) => change(value(i)));
  }
  return sketch(get, change);
}

const HEIGHT = 260;

/** The axes of a question about a line. */
function plane(get, width, alt) {
  const points = get("points");
  return axes({
    width, height: HEIGHT, x: [-0.3, points.length - 0.7], y: [get("low"), get("high")], alt,
    xticks: points.map((name, at) => ({ at, name })), xlabel: get("xlabel"), ylabel: get("ylabel"),
  });
}

/** A line to be drawn: each of its points is a slider for the keyboard, and follows a pointer that is drawn across. */
function sketch(get, change) {
  const points = get("points");
  const [low, high] = [get("low"), get("high")];
  const values = points.map(() => (low + high) / 2);
  const step = (high - low) / 20;
  change([...values]);
  const box = h("div", { class: "il-sketch" });
  responsive(box, (width) => {
    const { root, plot, x, y } = plane(get, width, "");
    root.removeAttribute("aria-hidden");
    const line = svg("path", { class: "il-you" });
    const handles = points.map((name, i) => {
      const handle = svg("circle", {
        class: "il-handle", r: 9, cx: x(i), tabindex: "0", role: "slider", "aria-orientation": "vertical",
        "aria-label": `${get("ylabel")} at ${name}`, "aria-valuemin": low, "aria-valuemax": high,
      });
      handle.addEventListener("keydown", (event) => {
        const by = { ArrowUp: step, ArrowDown: -step, ArrowRight: step, ArrowLeft: -step, PageUp: 4 * step, PageDown: -4 * step, Home: -Infinity, End: Infinity }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        move(i, values[i] + by);
      });
      return handle;
    });
    function show() {
      line.setAttribute("d", path(points.map((_, i) => x(i)), values.map(y)));
      handles.forEach((handle, i) => {
        handle.setAttribute("cy", y(values[i]).toFixed(1));
        handle.setAttribute("aria-valuenow", values[i]);
      });
    }
    function move(i, value) {
      values[i] = Number((Math.round(Math.min(high, Math.max(low, value)) / step) * step).toPrecision(12));
      show();
      change([...values]);
    }
    function follow(event) {
      const place = root.getBoundingClientRect();
      const [px, py] = [((event.clientX - place.left) / place.width) * width, ((event.clientY - place.top) / place.height) * HEIGHT];
      const nearest = points.reduce((best, _, i) => (Math.abs(x(i) - px) < Math.abs(x(best) - px) ? i : best), 0);
      move(nearest, low + ((y(low) - py) / (y(low) - y(high))) * (high - low));
    }
    root.addEventListener("pointerdown", (event) => {
      root.setPointerCapture(event.pointerId);
      follow(event);
    });
    root.addEventListener("pointermove", (event) => root.hasPointerCapture(event.pointerId) && follow(event));
    plot.append(line, ...handles);
    show();
    return root;
  });
  return h("div", {}, h("p", { class: "il-hint" }, "Draw across the axes, or move each point with the arrow keys."), box);
}

/** What the reader said and what the run says, drawn together. */
function verdict(get) {
  if (get("kind") === "choice") return bars(get);
  const box = h("div");
  responsive(box, (width) => (get("kind") === "number" ? marks(get, width) : both(get, width)));
  if (get("kind") === "number") return box;
  const yours = get("answer") === null ? "" : h("li", { class: "il-key-you" }, "you");
  return h("div", {}, h("ul", { class: "il-legend", "aria-hidden": "true" }, h("li", { class: "il-key-run" }, "the run"), yours), box);
}

function bars(get) {
  const truth = get("truth");
  const most = Math.max(...truth);
  return h("ul", { class: "il-bars" }, ...get("options").map((name, i) => {
    const bar = h("span", { class: "il-bar", "aria-hidden": "true" });
    bar.style.inlineSize = `${(100 * truth[i]) / most}%`;
    const yours = get("answer") === i;
    return h("li", yours ? { class: "il-yours" } : {},
      h("span", {}, yours ? h("b", {}, `${name} (your choice)`) : name),
      h("span", { class: "il-track" }, bar), h("span", {}, `${truth[i]} ${get("unit")}`.trim()));
  }));
}

function marks(get, width) {
  const { root, plot, x, y } = axes({ width, height: 116, x: [get("low"), get("high")], y: [0, 1], yticks: false, xlabel: get("unit"), alt: said(get, get("answer")) + " " + get("says") });
  const label = (value, text, at) => {
    const side = x(value) > width / 2 ? "end" : "start";
    return svg("text", { x: x(value) + (side === "end" ? -10 : 10), y: y(at) + 4, "text-anchor": side }, text);
  };
  const [from, to] = get("interval").length ? get("interval") : [get("truth"), get("truth")];
  plot.append(svg("path", { class: "il-interval", d: `M${x(from)} ${y(0.3)}H${x(to)}` }), svg("circle", { class: "il-run", r: 5, cx: x(get("truth")), cy: y(0.3) }), label(to > from && x(get("truth")) <= width / 2 ? to : to > from ? from : get("truth"), `the run: ${get("truth")}`, 0.3));
  if (get("answer") !== null) {
    const at = x(get("answer"));
    plot.append(svg("path", { class: "il-you-mark", d: `M${at} ${y(0.68)}l-6 -11h12z` }), label(get("answer"), `you: ${get("answer")}`, 0.78));
  }
  return root;
}

function both(get, width) {
  const { root, plot, x, y } = plane(get, width, said(get, get("answer")) + " " + get("says"));
  const across = get("points").map((_, i) => x(i));
  const draw = (values, kind) => plot.append(svg("path", { class: kind, d: path(across, values.map(y)) }),
    ...across.map((cx, i) => svg("circle", { class: kind + "-point", r: 4, cx, cy: y(values[i]) })));
  draw(get("truth"), "il-run");
  if (get("answer") !== null) draw(get("answer"), "il-you");
  return root;
}
