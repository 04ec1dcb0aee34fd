/* Shows a term's definition at a link to the glossary, for pointer, keyboard and touch. Loaded with `defer`.

   What WCAG 1.4.13 asks: Escape puts it away and leaves pointer and focus where they are; the pointer may move onto it;
   it stays until pointer and focus have left. A screen reader needs none of this: the link names its definition in
   `aria-describedby`, and what is shown here is a copy that is hidden from it. */
(function () {
  "use strict";

  const LINKS = 'main a[aria-describedby^="definition-"]';
  const GRACE = 250; // milliseconds in which the pointer may cross from link to box
  const EDGE = 8; // pixels to the edge of the window
  const GAP = 6; // pixels to the link, whose focus ring must stay in sight

  const box = document.createElement("div");
  box.className = "term-popover";
  box.setAttribute("aria-hidden", "true");
  box.hidden = true;
  const parts = {};
  for (const name of ["name", "text", "touch"]) {
    parts[name] = box.appendChild(document.createElement("p"));
    parts[name].className = "term-popover__" + name;
  }
  parts.touch.textContent = "Tap again to open the glossary.";
  document.body.append(box);

  let shown = null; // the link whose definition is shown
  let pointed = false; // the pointer is on it or on the box
  let leaving = 0;
  let touched = false; // the last press was a finger's

  /** The term's name as the glossary has it, which the link may inflect: beside its definition, or in the glossary. */
  function nameOf(link, definition) {
    return definition.dataset.term || document.getElementById(link.hash.slice(1)).firstChild.textContent;
  }

  /** Lay the box below the link, which may run over two lines, or above where there is no room; begin at `x`'s line. */
  function place(link, x) {
    const lines = [...link.getClientRects()];
    const line = lines.find((rect) => rect.left <= x && x <= rect.right) || lines[0];
    const { top, bottom } = link.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    box.style.left = box.style.top = "0";
    const size = box.getBoundingClientRect();
    const left = Math.max(EDGE, Math.min(line.left, width - size.width - EDGE));
    const below = bottom + GAP + size.height + EDGE <= innerHeight || top < GAP + size.height + EDGE;
    box.style.left = left + scrollX + "px";
    box.style.top = (below ? bottom + GAP : top - GAP - size.height) + scrollY + "px";
  }

  function show(link, x) {
    clearTimeout(leaving);
    if (shown === link && !box.hidden) return;
    const definition = document.getElementById(link.getAttribute("aria-describedby"));
    if (!definition) return;
    shown = link;
    parts.name.textContent = nameOf(link, definition);
    parts.text.textContent = definition.textContent;
    parts.touch.hidden = !touched;
    box.hidden = false;
    place(link, x);
  }

  function hide() {
    clearTimeout(leaving);
    box.hidden = true;
    shown = null;
  }

  function leave(event) {
    if (event.pointerType === "touch") return; // a finger leaves whenever it is lifted
    pointed = false;
    clearTimeout(leaving);
    leaving = setTimeout(function () {
      if (!pointed && !(shown && shown.matches(":focus-visible"))) hide();
    }, GRACE);
  }

  for (const link of document.querySelectorAll(LINKS)) {
    link.addEventListener("pointerenter", function (event) {
      if (event.pointerType === "touch") return;
      touched = false;
      pointed = true;
      show(link, event.clientX);
    });
    link.addEventListener("pointerleave", leave);
    link.addEventListener("focus", function () {
      if (link.matches(":focus-visible") && !touched) show(link, -1);
    });
    link.addEventListener("blur", function () {
      if (!pointed && !touched) hide(); // a finger on the box takes the focus from the link
    });
    // A finger cannot hover: its first tap shows the definition, the second follows the link.
    link.addEventListener("click", function (event) {
      if (touched && shown !== link) {
        event.preventDefault();
        show(link, event.clientX);
      } else {
        hide();
      }
    });
  }
  box.addEventListener("pointerenter", function (event) {
    pointed = event.pointerType !== "touch";
    clearTimeout(leaving);
  });
  box.addEventListener("pointerleave", leave);
  addEventListener("pointerdown", function (event) {
    touched = event.pointerType === "touch";
    if (touched && shown && !box.contains(event.target) && !shown.contains(event.target)) hide();
  }, true);
  addEventListener("keydown", function (event) {
    touched = false;
    if (event.key === "Escape" && shown) hide();
  }, true);
  addEventListener("resize", function () {
    if (shown) place(shown, -1);
  });
  addEventListener("pagehide", hide);
})();
