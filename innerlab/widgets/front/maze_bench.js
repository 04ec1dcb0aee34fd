/** Mazes to paint, in which the chapter's trained agents walk, and where each of them ends. */

import { run, unpack, walk } from "./agents.js";
import { columns } from "./chart.js";
import { button, choice, follow, frame, h, responsive, slider, svg } from "./dom.js";
import { ACTIONS, COLORS, format, moves, named, outcome, painted, parse, SHAPES } from "./maze.js";

const ENDS = ["nowhere", "door", "red thing", "other"];
const CELL = 40, PACE = 180;

/** The index of the largest of some numbers, the first of them where several are equal. */
export function likeliest(numbers) {
  return numbers.indexOf(Math.max(...numbers));
}

/** How many agents end most likely in each of the four ways. */
export function tally(ends) {
  const counts = [0, 0, 0, 0];
  for (const one of ends) counts[likeliest(one)] += 1;
  return counts;
}

/** Whether a door that is not red, and a red thing that is no door, can both be touched before anything else. */
export function cuesInReach(maze) {
  const next = moves(maze);
  const seen = new Set([maze.start]);
  for (const cell of seen) if (!maze.thing[cell]) next[cell].forEach((target) => seen.add(target));
  const touched = [...seen].map((cell) => maze.thing[cell]).filter((thing) => thing);
  return touched.some(({ shape, color }) => shape === 0 && color !== 0) && touched.some((thing) => outcome(thing) === 2);
}

/** Whether a challenge is met: both cues are in reach, and so many agents end most likely in each way that it names. */
export function met({ least }, maze, ends) {
  const counts = tally(ends);
  return cuesInReach(maze) && least.every((count, way) => counts[way] >= count);
}

const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

/** Probabilities of the four moves in words, the likely ones only. */
function moving(probabilities) {
  const likely = ACTIONS.map((name, action) => [probabilities[action], name]).filter(([p]) => p >= 0.05).sort((a, b) => b[0] - a[0]);
  return likely.map(([p, name]) => `${name} ${percent(p)}`).join(", ");
}

export function render({ model, el }) {
  const get = (name) => model.get(name);
  frame(el, get("alt")).classList.add("il-bench");
  const networks = unpack(get("packed"));
  const settings = { fades: get("fades"), maxSteps: get("max_steps") };
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const brush = { what: 0, color: 0 };
  const won = new Set();
  let maze = parse(get("maze"));
  let done = run(networks, maze, settings);
  let focused = maze.start;
  let trail = null;
  let timer = 0;

  // What there is to see and to press.
  const words = h("p", { class: "il-says", role: "status" });
  const drawing = svg("svg", { "aria-hidden": "true" });
  const grid = h("div", { class: "il-grid", role: "grid", "aria-label": "Maze. Arrow keys move, Enter or space paints." });
  const brushes = ["floor", "wall", "agent", ...SHAPES];
  const what = choice("Paint", brushes, brush.what, (index) => (brush.what = index));
  const color = choice("in", COLORS, brush.color, (index) => (brush.color = index));
  const presets = h("select", { onchange: () => set({ maze: get("presets")[presets.value].maze }) },
    ...get("presets").map(({ name }, index) => h("option", { value: index }, name)));
  const agent = slider("Agent", networks.length, get("agent"), (index) => String(index + 1), (index) => set({ agent: index }));
  const go = button("Let it walk", () => (timer ? halt() : start()), { class: "il-main" });
  const about = [h("p", { class: "il-about" }), h("p", { class: "il-about" })];
  const challenges = h("ul", { class: "il-challenges" });
  const here = h("div", { class: "il-tally" });
  const there = h("div", { class: "il-tally" });

  el.append(
    h("div", { class: "il-two" },
      h("div", { class: "il-board" }, drawing, grid),
      h("div", {}, h("label", { class: "il-preset" }, h("span", {}, "Begin with"), presets), what, color, agent, h("p", { class: "il-actions" }, go), ...about)),
    words,
    h("p", { class: "il-kicker" }, "Break it"),
    h("p", { class: "il-rule" }, "While both a door that is not red and a red thing that is no door are in reach, bring about:"), challenges,
    h("ul", { class: "il-legend", "aria-hidden": "true" }, ...[1, 2, 3, 0].map((way, k) => h("li", { class: `il-part-${k}` }, ENDS[way]))),
    h("div", { class: "il-two" }, here, there),
  );

  function set(traits) {
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    model.save_changes();
  }

  // The maze: cells for hands and screen readers, and a drawing beneath them.
  function cells() {
    grid.replaceChildren(...Array.from({ length: maze.height }, (_, y) => h("div", { role: "row" },
      ...Array.from({ length: maze.width }, (_, x) => h("div", { role: "gridcell", "data-cell": y * maze.width + x })))));
    grid.style.setProperty("--columns", maze.width);
  }
  const cellAt = (cell) => grid.querySelector(`[data-cell="${cell}"]`);

  function label() {
    const { probabilities } = done[get("agent")];
    for (const box of grid.querySelectorAll("[data-cell]")) {
      const cell = Number(box.dataset.cell);
      const place = `row ${Math.floor(cell / maze.width) + 1}, column ${(cell % maze.width) + 1}: ${named(maze, cell)}`;
      const goes = maze.wall[cell] || maze.thing[cell] ? "" : `; the agent goes ${moving(probabilities[cell])}`;
      box.setAttribute("aria-label", place + goes);
      box.tabIndex = cell === focused ? 0 : -1;
    }
  }

  function draw() {
    const { probabilities } = done[get("agent")];
    drawing.setAttribute("viewBox", `0 0 ${maze.width * CELL} ${maze.height * CELL}`);
    const middle = (cell) => [((cell % maze.width) + 0.5) * CELL, (Math.floor(cell / maze.width) + 0.5) * CELL];
    const parts = maze.wall.map((wall, cell) => {
      const [x, y] = middle(cell);
      const ground = svg("rect", { class: wall ? "il-wall" : "il-floor", x: x - CELL / 2, y: y - CELL / 2, width: CELL, height: CELL });
      if (maze.thing[cell]) return svg("g", {}, ground, thing(maze.thing[cell], x, y));
      return wall ? ground : svg("g", {}, ground, svg("path", { class: "il-arrows", d: arrows(probabilities[cell], x, y) }));
    });
    const [x, y] = middle(trail ? trail.cells[trail.at] : maze.start);
    const walked = trail ? trail.cells.slice(0, trail.at + 1).map(middle) : [];
    const line = svg("path", { class: "il-trail", d: walked.map(([a, b], i) => `${i ? "L" : "M"}${a} ${b}`).join("") });
    drawing.replaceChildren(...parts, line, svg("path", { class: "il-agent", d: `M${x} ${y - 12}l10 22h-20z` }));
  }

  /** All agents as columns under a title; returns what shows them anew. */
  function tallied(box, title, endings) {
    const chart = h("div");
    const words = h("p");
    box.append(h("p", { class: "il-title" }, title), chart, words);
    const counted = () => {
      const counts = tally(endings());
      const parts = [1, 2, 3, 0].map((k) => `${counts[k]} ${ENDS[k]}`);
      return `Most likely end of the ${endings().length} agents: ${parts.join(", ")}.`;
    };
    const redraw = responsive(chart, (width) => columns(get("order").map((one) => [1, 2, 3, 0].map((k) => endings()[one][k])), {
      width, height: 170, marked: get("order").indexOf(get("agent")), alt: `${title}. ${counted()}`,
      ylabel: "share of episodes", xlabel: "agents, in the order of red share",
    }));
    return () => {
      redraw();
      words.textContent = counted();
    };
  }
  const tallies = [
    tallied(here, "Your maze", () => done.map(({ ends }) => ends)),
    tallied(there, get("chapter_title"), () => get("chapter_ends")),
  ];

  function describe() {
    const own = done[get("agent")].ends;
    const chapter = get("chapter_ends")[get("agent")];
    const shares = (ends) => [1, 2, 3, 0].map((k) => `${percent(ends[k])} ${ENDS[k]}`).join(", ");
    about[0].textContent = `Agent ${get("agent") + 1} ends here: ${shares(own)}.`;
    about[1].textContent = `${get("chapter_title")}: ${shares(chapter)}.`;
  }

  function challenged() {
    const own = !get("presets").some((preset) => preset.maze === get("maze"));
    const ends = done.map((one) => one.ends);
    const news = [];
    challenges.replaceChildren(...get("challenges").map((challenge, index) => {
      const now = own && met(challenge, maze, ends);
      if (now && !won.has(index)) {
        won.add(index);
        news.push(`Broken: ${challenge.text}`);
      }
      return h("li", won.has(index) ? { class: "il-won" } : {}, h("span", { "aria-hidden": "true" }, won.has(index) ? "✓ " : "○ "), challenge.text, won.has(index) ? h("b", {}, now ? " Done." : " Done before.") : "");
    }));
    return news.join(" ");
  }

  // Walking.
  function halt() {
    clearInterval(timer);
    timer = 0;
    go.textContent = "Let it walk";
  }
  function start() {
    trail = { ...walk(maze, done[get("agent")].probabilities, settings.maxSteps), at: 0 };
    const last = trail.cells.length - 1;
    const arrive = () => {
      halt();
      const end = trail.touched ? `touched the ${named(maze, trail.cells[last])} after ${last} steps` : `touched nothing in ${last} steps`;
      words.textContent = `Agent ${get("agent") + 1} ${end}.`;
    };
    if (still.matches) {
      trail.at = last;
      draw();
      arrive();
      return;
    }
    go.textContent = "Stop";
    timer = setInterval(() => {
      trail.at = Math.min(trail.at + 1, last);
      draw();
      if (trail.at === last) arrive();
    }, PACE);
  }

  // Painting.
  function paint(cell) {
    const name = brushes[brush.what];
    const result = painted(maze, cell, SHAPES.includes(name) ? { shape: SHAPES.indexOf(name), color: brush.color } : name);
    if (typeof result === "string") words.textContent = result;
    else set({ maze: format(result) });
  }
  const under = (event) => event.target.closest("[data-cell]");
  grid.addEventListener("click", (event) => {
    const box = under(event);
    if (!box) return;
    focused = Number(box.dataset.cell);
    box.focus();
    paint(focused);
  });
  grid.addEventListener("pointerover", (event) => {
    const box = under(event);
    if (box && event.pointerType === "mouse" && event.buttons === 1) paint(Number(box.dataset.cell));
  });
  grid.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -maze.width, ArrowDown: maze.width, ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      paint(focused);
    } else if (step !== undefined) {
      event.preventDefault();
      const [target, column] = [focused + step, focused % maze.width];
      const wraps = (step === -1 && column === 0) || (step === 1 && column === maze.width - 1);
      if (wraps || target < 0 || target >= maze.wall.length) return;
      cellAt(focused).tabIndex = -1;
      focused = target;
      cellAt(focused).tabIndex = 0;
      cellAt(focused).focus();
    }
  });

  function rebuild() {
    halt();
    trail = null;
    const before = maze;
    maze = parse(get("maze"));
    done = run(networks, maze, settings);
    if (maze.height !== before.height || maze.width !== before.width) {
      focused = maze.start;
      cells();
    }
    show();
  }
  function show() {
    draw();
    label();
    for (const again of tallies) again();
    describe();
    words.textContent = challenged();
  }
  model.on("change:maze", rebuild);
  model.on("change:agent", () => {
    halt();
    trail = null;
    follow(agent, get("agent"));
    show();
  });
  cells();
  show();
}

/** Four arrowheads, as long as their moves are likely. */
function arrows(probabilities, x, y) {
  const [UP, DOWN, LEFT, RIGHT] = [[0, -1], [0, 1], [-1, 0], [1, 0]];
  return [UP, DOWN, LEFT, RIGHT].map(([dx, dy], action) => {
    const long = 17 * probabilities[action];
    if (long < 0.7) return "";
    const wide = 1.5 + 3.5 * probabilities[action];
    const tip = [x + dx * (2 + long), y + dy * (2 + long)];
    const side = (sign) => [x + dx * 2 + sign * dy * wide, y + dy * 2 + sign * dx * wide];
    return `M${tip}L${side(1)}L${side(-1)}Z`;
  }).join("");
}

/** One thing, drawn as in the book's figures. */
function thing({ shape, color }, x, y) {
  const filled = { class: `il-color-${color}` };
  const outlined = { class: `il-stroke-${color}` };
  if (SHAPES[shape] === "door") return svg("g", {}, svg("rect", { ...filled, x: x - 9, y: y - 15, width: 18, height: 30 }), svg("circle", { class: "il-knob", cx: x + 4.5, cy: y, r: 2 }));
  if (SHAPES[shape] === "key") return svg("g", {}, svg("circle", { ...outlined, cx: x - 7, cy: y, r: 6 }), svg("path", { ...outlined, d: `M${x - 1} ${y}h15v6m-6 -6v5` }));
  if (SHAPES[shape] === "ball") return svg("circle", { ...filled, cx: x, cy: y, r: 11 });
  return svg("rect", { ...filled, x: x - 11, y: y - 11, width: 22, height: 22 });
}
