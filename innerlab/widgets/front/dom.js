/** Elements, in HTML and in SVG, and the frame that every widget stands in. */

/**
 * An element with attributes and children. `on…` names a listener; `true` and `false` set and leave out an attribute.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string)} children
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

let made = 0;

/** A name that no other element or group of this page has. */
export function unique(word) {
  made += 1;
  return `innerlab-${word}-${made}`;
}

/** Make an element the frame of a widget, named for who cannot see it. */
export function frame(el, alt) {
  el.classList.add("innerlab-widget");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", alt);
  return el;
}

/**
 * Call `draw(width)` now and whenever the width of a box changes; what it returns becomes what the box holds.
 * @param {HTMLElement} box
 * @param {(width: number) => Element} draw
 * @returns {() => void} draws again
 */
export function responsive(box, draw) {
  let width = 0;
  const again = () => box.replaceChildren(draw(width));
  const fit = () => {
    const now = Math.round(Math.max(240, Math.min(box.clientWidth || 640, 720)));
    if (now === width) return;
    width = now;
    again();
  };
  fit();
  new ResizeObserver(fit).observe(box);
  return again;
}

/** A group of radio buttons, one of which is chosen. */
export function choice(legend, names, chosen, choose) {
  const group = unique("choice");
  const rows = names.map((name, index) => {
    const input = h("input", { type: "radio", name: group, value: index, onchange: () => choose(index) });
    input.checked = index === chosen;
    return h("label", {}, input, h("span", {}, name));
  });
  return h("fieldset", { class: "il-choice" }, h("legend", {}, legend), ...rows);
}

/** A slider over the positions 0 to `count - 1`, with the name of the present one beside it. */
export function slider(label, count, at, name, choose) {
  const shown = h("output", { "aria-hidden": "true" }, name(at));
  const input = h("input", { type: "range", min: 0, max: count - 1, step: 1, "aria-valuetext": name(at) });
  input.value = String(at);
  input.addEventListener("input", () => {
    shown.textContent = name(Number(input.value));
    input.setAttribute("aria-valuetext", shown.textContent);
    choose(Number(input.value));
  });
  return h("label", { class: "il-slider" }, h("span", {}, label), input, shown);
}

/** Show, in controls made by `choice` or `slider`, a position that was set elsewhere. */
export function follow(control, at) {
  const inputs = control.querySelectorAll("input");
  if (inputs[0].type === "radio") {
    inputs[at].checked = true;
  } else if (inputs[0].value !== String(at)) {
    inputs[0].value = String(at);
    inputs[0].dispatchEvent(new Event("input"));
  }
}

/** A button. */
export function button(text, onclick, attributes = {}) {
  return h("button", { type: "button", onclick, ...attributes }, text);
}
