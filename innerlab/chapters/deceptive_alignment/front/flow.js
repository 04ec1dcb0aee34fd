/** Where gradient descent takes a planner from a start: its path, the separatrix, and what it does in the end. */

import { axes, path } from "../../../widgets/front/chart.js";
import { button, choice, follow, frame, h, responsive, svg } from "../../../widgets/front/dom.js";
import { conserved, deceptive, descended, trainingLogit } from "./descent.js";

const HEIGHT = 330;
const STEP = 25; // of gradient descent, at a press
const FRAMES = 60, PACE = 40; // of a run: how many pictures, and milliseconds for each
const THIN = 5; // steps from one point of a drawn path to the next

/** A path up to where it leaves a rectangle. */
export function within(points, [left, right], [low, high]) {
  const out = points.findIndex(([theta, lam]) => theta < left || theta > right || lam < low || lam > high);
  return out < 0 ? points : points.slice(0, out);
}

/** What a planner does, in one word. */
export function kind(point, planner) {
  if (trainingLogit(point, planner) < 0) return "openly misaligned";
  return point[0] < 0 ? "deceptive" : "aligned";
}

export function render({ model, el }) {
  const get = (name) => model.get(name);
  frame(el, get("alt")).classList.add("il-flow");
  const [thetas, lams, kappas, ratios, most] = ["theta", "lam", "kappas", "ratios", "steps"].map(get);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let [spent, timer, whole, field] = [0, 0, [], []];

  function set(traits) {
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    model.save_changes();
  }
  const planner = () => ({ kappa: get("kappa"), ratio: get("ratio"), rate: get("rate"), capped: get("capped") });

  // What there is to see and to press.
  let locate = () => get("start");
  const map = h("div", {
    class: "il-flow-map", tabindex: "0", role: "application", "aria-label": "Plane. Arrow keys move the start, with Shift in small steps; Enter runs.",
    onclick: (event) => {
      begin(locate(event));
      halt();
      show(0);
      run();
    },
    onkeydown: (event) => {
      if (event.key === "Enter") run();
      const [across, up] = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key] ?? [0, 0];
      if (!across && !up) return;
      event.preventDefault();
      const size = event.shiftKey ? 0.02 : 0.1;
      begin([get("start")[0] + across * size, get("start")[1] + up * size]);
    },
  });
  const inside = (value, [low, high]) => Number(Math.min(Math.max(value, low), high).toFixed(2)) + 0; // no minus zero
  const begin = ([theta, lam]) => set({ start: [inside(theta, thetas), inside(lam, lams)] });
  const weigh = choice("κ: how many later episodes weigh", kappas.map(String), kappas.indexOf(get("kappa")), (at) => set({ kappa: kappas[at] }));
  const speed = choice("r: learning rate of λ, for 1 of θ", ratios.map(String), ratios.indexOf(get("ratio")), (at) => set({ ratio: ratios[at] }));
  const loses = choice("What a wrong goal can lose", ["as much as it is wrong", "at most 1"], Number(get("capped")), (at) => set({ capped: at === 1 }));
  const go = button("Run", () => (timer ? stop() : run()), { class: "il-main" });
  const step = button("Step", () => {
    halt();
    show(Math.min(spent + STEP, most));
    tell();
  });
  const reset = button("Reset", () => {
    halt();
    show(0);
    tell();
  });
  const rows = ["θ", "λ", "logit in training", "logit in deployment", "conserved"].map((name) => ({ name, cells: [h("td"), h("td")] }));
  const words = h("p", { class: "il-says", role: "status" });
  const now = h("th", { scope: "col" });
  el.append(
    h("div", { class: "il-two" },
      h("div", {}, map, h("p", { class: "il-hint" }, "Click to start somewhere, or move the start (triangle) with the arrow keys. θ: how much it likes what is wanted; λ: how much it minds being modified. Dashed: the line that parts the starts.")),
      h("div", {}, weigh, speed, loses, h("p", { class: "il-actions" }, go, step, reset),
        h("table", { class: "il-found" },
          h("thead", {}, h("tr", {}, h("td"), h("th", { scope: "col" }, "start"), now)),
          h("tbody", {}, ...rows.map(({ name, cells }) => h("tr", {}, h("th", { scope: "row" }, name), ...cells)))))),
    words,
  );

  function seek() {
    whole = descended(get("start"), most, planner());
    const [columns, levels] = [7, 4];
    field = Array.from({ length: columns * levels }, (_, i) => {
      const part = (k, count, [low, high]) => low + ((k + 0.5) / count) * (high - low);
      return within(descended([part(i % columns, columns, thetas), part(Math.floor(i / columns), levels, lams)], most / 2, planner()), thetas, lams);
    });
  }

  // Drawing.
  seek();
  const redraw = responsive(map, (width) => {
    const { root, plot, x, y } = axes({ width, height: HEIGHT, x: thetas, y: lams, xlabel: "θ", ylabel: "λ" });
    const drawn = (points) => {
      const some = points.filter((_, i) => i % THIN === 0 || i === points.length - 1);
      return path(some.map(([theta]) => x(theta)), some.map(([, lam]) => y(lam)));
    };
    const { kappa, ratio } = planner();
    const turn = 1 / kappa;
    const far = Math.max(thetas[0], (lams[0] - turn) / Math.sqrt(ratio)); // where the separatrix leaves the plane
    const name = (text, theta, lam) => svg("text", { x: x(theta).toFixed(1), y: y(lam).toFixed(1), "text-anchor": "middle", class: "il-where" }, text);
    const gone = within(whole.slice(0, spent + 1), thetas, lams);
    const [startX, startY] = [x(get("start")[0]), y(get("start")[1])];
    const last = gone[gone.length - 1] ?? get("start");
    plot.append(
      svg("path", { class: "il-cross", d: `M${x(0)} ${y(lams[0])}V${y(lams[1])}` }),
      ...field.map((points) => svg("path", { class: "il-drift", d: drawn(points) })),
      svg("path", { class: "il-parts", d: `M${x(0)} ${y(turn)}L${x(far).toFixed(1)} ${y(turn + Math.sqrt(ratio) * far).toFixed(1)}` }),
      svg("path", { class: "il-path-halo", d: drawn(gone) }),
      svg("path", { class: "il-path", d: drawn(gone) }),
      name("to deceptive", 0.76 * thetas[0], lams[1] - 0.12), name("to aligned", thetas[1] / 2, lams[1] - 0.12),
      svg("path", { class: "il-agent", d: `M${startX} ${startY - 9}l8 16h-16z` }),
      ...(spent ? [end(kind(whole[spent], planner()), x(last[0]), y(last[1]))] : []),
    );
    locate = (event) => {
      const place = root.getBoundingClientRect();
      const value = (pixel, scale, [low, high]) => low + ((pixel - scale(low)) / (scale(high) - scale(low))) * (high - low);
      const [px, py] = [((event.clientX - place.left) / place.width) * width, ((event.clientY - place.top) / place.height) * HEIGHT];
      return [value(px, x, thetas), value(py, y, lams)];
    };
    return root;
  });

  /** Show what is there after so many steps. */
  function show(after) {
    spent = after;
    redraw();
    now.textContent = `step ${spent}`;
    const told = (point) => [point[0], point[1], trainingLogit(point, planner()), point[0], get("capped") || point[0] > 0 ? null : conserved(point, planner())];
    [whole[0], whole[spent]].forEach((point, i) => told(point).forEach((value, k) => (rows[k].cells[i].textContent = value === null ? "–" : short(value))));
    step.disabled = spent >= most;
  }
  function tell() {
    const here = whole[spent];
    const [trained, deployed] = [trainingLogit(here, planner()), here[0]].map((logit) => (logit < 0 ? "defects" : "does what is wanted"));
    const does = trained === deployed ? `${trained} in training and in deployment` : `${trained} in training and ${deployed} in deployment`;
    const low = Math.max(...whole.slice(0, spent + 1).map(([theta]) => theta));
    const moved = here[0] < 0 && low > get("start")[0] + 0.005 && here[0] < low - 0.005 ? ` On the way, |θ| shrank to ${short(-low)} before it grew.` : "";
    const rule = get("start")[0] >= 0 ? "" : ` The start lies ${deceptive(get("start"), planner()) ? "above" : "below"} the line${get("capped") ? ", which holds exactly only without the limit" : ""}.`;
    words.textContent = `After ${spent} steps from θ = ${get("start")[0]} and λ = ${get("start")[1]} it ${does}: ${kind(here, planner())}.${moved}${rule}`;
  }

  // Running.
  function halt() {
    if (timer) clearInterval(timer);
    timer = 0;
    go.textContent = "Run";
  }
  function stop() {
    halt();
    tell();
  }
  function run() {
    halt();
    const arrive = () => {
      halt();
      show(most);
      tell();
    };
    if (still.matches) return arrive();
    let picture = spent >= most ? 0 : Math.round(FRAMES * Math.sqrt(spent / most)); // steps grow shorter, so later ones go faster
    go.textContent = "Stop";
    timer = setInterval(() => {
      picture += 1;
      if (picture >= FRAMES) arrive();
      else show(Math.round(most * (picture / FRAMES) ** 2));
    }, PACE);
  }

  function search() {
    halt();
    follow(weigh, kappas.indexOf(get("kappa")));
    follow(speed, ratios.indexOf(get("ratio")));
    follow(loses, Number(get("capped")));
    seek();
    show(spent);
    tell();
  }
  for (const trait of ["start", "kappa", "ratio", "capped"]) model.on(`change:${trait}`, search);
  search();
  return halt;
}

const short = (value) => value.toFixed(2).replace(/^-(0\.00)$/, "$1");

/** Where a path has come to: a disk for aligned, a diamond for deceptive, a square before either. */
function end(what, x, y) {
  const shapes = { aligned: "m-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0", deceptive: "m0 -8l8 8l-8 8l-8 -8z", "openly misaligned": "m-5 -5h10v10h-10z" };
  return svg("path", { class: `il-end il-end-${what.split(" ")[0]}`, d: `M${x.toFixed(1)} ${y.toFixed(1)}${shapes[what]}` });
}
