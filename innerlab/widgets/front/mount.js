/**
 * Mounts widgets on a page that has no kernel. Each placeholder holds the widget's state as JSON; a few lines stand in
 * for the model that a kernel would keep, with the part of its interface that front ends use.
 */

/**
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string, value: any) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, listener: () => void) => void} on
 * @property {(event?: string, listener?: () => void) => void} off
 */

/**
 * A model that lives on the page: setting a trait to something new tells those who listen to `change:<name>`.
 * @param {Record<string, any>} state
 * @returns {Model}
 */
export function standIn(state) {
  const values = { ...state };
  /** @type {Map<string, Set<() => void>>} */
  const listeners = new Map();
  return {
    get: (name) => values[name],
    set(name, value) {
      if (JSON.stringify(values[name]) === JSON.stringify(value)) return;
      values[name] = value;
      for (const listener of [...(listeners.get("change:" + name) ?? [])]) listener();
    },
    save_changes() {},
    on(event, listener) {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event).add(listener);
    },
    off(event, listener) {
      if (event === undefined) listeners.clear();
      else if (listener === undefined) listeners.delete(event);
      else listeners.get(event)?.delete(listener);
    },
  };
}

const LATER = 10000; // milliseconds after which a page that is still open mounts what nobody has come near

/**
 * Mount every placeholder of the page when the reader comes within a screen of it. The first key mounts them all, since
 * Tab must not pass by what is not there yet; so does time, for those who read by other means than scrolling.
 * @param {Record<string, (context: {model: Model, el: HTMLElement}) => void>} fronts by name
 */
export function mountAll(fronts) {
  const waiting = new Set(document.querySelectorAll("[data-innerlab]"));
  /** @param {Element} place */
  function mount(place) {
    if (!waiting.delete(place)) return;
    near.unobserve(place);
    inPlace(place, () => mountOne(fronts, place));
  }
  const near = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => mount(entry.target)),
    { rootMargin: "100% 0px" }
  );
  for (const place of waiting) near.observe(place);
  addEventListener("keydown", () => waiting.forEach(mount), { capture: true, once: true });
  setTimeout(function next() {
    const [place] = waiting;
    if (!place) return;
    mount(place);
    setTimeout(next);
  }, LATER);
}

/**
 * Change the height of something; what the window shows below it stays where it is. Other browsers see to that by
 * themselves, but in Safari a link would lead to what is pushed into its place. While a page is being loaded Safari does
 * move along with the place that its address names, so that only what is left is made up for.
 * @param {Element} place
 * @param {() => void} change
 */
function inPlace(place, change) {
  const holds = CSS.supports("overflow-anchor", "auto");
  const around = place.parentElement;
  const end = () => around.getBoundingClientRect().bottom;
  const before = holds ? 0 : end();
  change();
  if (!holds && before < innerHeight / 2) scrollBy({ top: end() - before, behavior: "instant" });
}

/**
 * Mount one. If that fails it keeps its picture and says why on the console.
 * @param {Record<string, (context: {model: Model, el: HTMLElement}) => void>} fronts
 * @param {Element} place
 */
function mountOne(fronts, place) {
  const el = document.createElement("div");
  try {
    const state = JSON.parse(place.querySelector('script[type="application/json"]').textContent);
    place.before(el);
    fronts[place.dataset.innerlab]({ model: standIn(state), el });
    place.remove();
  } catch (problem) {
    el.remove();
    console.error("innerlab:", place.dataset.innerlab, problem);
  }
}
