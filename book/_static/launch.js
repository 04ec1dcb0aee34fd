/* Makes the link that opens a notebook on the reader's JupyterHub through nbgitpuller. Nothing is sent anywhere. */
(function () {
  "use strict";

  const form = document.querySelector("form[data-hub]");
  if (!form) return;
  const field = form.querySelector("input");
  const answer = form.querySelector("[role=status]");
  const KEPT = "innerlab/hub";

  /** The hub's own address out of what was typed or copied, or "" when it is none. */
  function hubOf(text) {
    if (/\s/.test(text)) return ""; // which a browser may take for a part of a name
    let address;
    try {
      address = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : "https://" + text);
    } catch (unreadable) {
      return "";
    }
    if (address.protocol !== "https:" && address.protocol !== "http:") return "";
    return address.origin + address.pathname.replace(/\/(hub|user)(\/.*)?$/, "").replace(/\/+$/, "");
  }

  /** The address that makes nbgitpuller fetch the repository and open the notebook. */
  function linkOn(hub) {
    const { repository, branch, path } = form.dataset;
    const name = repository.split("/").pop(); // nbgitpuller's name for the folder
    const asked = new URLSearchParams({ repo: repository, urlpath: "lab/tree/" + name + "/" + path, branch });
    return hub + "/hub/user-redirect/git-pull?" + asked;
  }

  function show() {
    const hub = hubOf(field.value.trim());
    field.setAttribute("aria-invalid", String(!hub));
    if (!hub) {
      answer.textContent = "This is no address of a hub. One looks like https://hub.example.org.";
      return;
    }
    try {
      localStorage.setItem(KEPT, hub);
    } catch (closed) {
      // Some browsers keep nothing for pages opened from a file.
    }
    const link = document.createElement("a");
    link.href = linkOn(hub);
    link.textContent = "Open on " + hub.replace(/^https?:\/\//, "");
    answer.replaceChildren(link);
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    show();
  });
  try {
    field.value = localStorage.getItem(KEPT) || "";
  } catch (closed) {
    field.value = "";
  }
  form.hidden = false;
  if (field.value) show();
})();
