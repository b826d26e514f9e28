// Adds to an article: a box that says where a number comes from. Without this script a number is a link to its cell, with
// the same words as its title.
(function () {
  "use strict";
  const box = document.createElement("div");
  let shown = null, leaving = 0;
  box.className = "origin";
  box.id = "origin";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  document.querySelector("main").append(box);

  function element(name, text, kind) {
    const made = document.createElement(name);
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }
  function show(link, tapped) {
    clearTimeout(leaving);
    if (shown === link) return;
    hide();
    shown = link;
    const line = element("code", ""), [before, ...after] = link.dataset.line.split(link.textContent);
    line.append(before, ...(after.length ? [element("mark", link.textContent), after.join(link.textContent)] : []));
    box.replaceChildren(element("p", link.dataset.where + ":"), line);
    if (tapped) box.append(element("p", "Tap the number again to go there.", "more"));
    box.hidden = false;
    const at = link.getBoundingClientRect(), width = document.documentElement.clientWidth;
    box.style.left = Math.max(12, Math.min(at.left, width - box.offsetWidth - 12)) + scrollX + "px";
    box.style.top = at.bottom + scrollY + 6 + "px";
    link.classList.add("shown");
    link.setAttribute("aria-describedby", "origin");
  }
  function hide() {
    if (!shown) return;
    shown.classList.remove("shown");
    shown.removeAttribute("aria-describedby");
    shown = null;
    box.hidden = true;
  }
  function later() { leaving = setTimeout(hide, 150); }  // the box can be reached, to select what it says

  for (const link of document.querySelectorAll("a.number")) {
    let first = false;
    link.removeAttribute("title");
    link.addEventListener("pointerenter", event => { if (event.pointerType === "mouse") show(link); });
    link.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") later(); });
    // A finger has no way to point: its first tap shows the box, its second follows the link.
    link.addEventListener("pointerdown", event => { first = event.pointerType !== "mouse" && shown !== link; });
    link.addEventListener("click", event => { if (first) { event.preventDefault(); first = false; show(link, true); } });
    link.addEventListener("focus", () => { if (!first) show(link); });
    link.addEventListener("blur", hide);
  }
  box.addEventListener("pointerenter", () => clearTimeout(leaving));
  box.addEventListener("pointerleave", later);
  document.addEventListener("keydown", event => { if (event.key === "Escape") hide(); });
  document.addEventListener("pointerdown", event => {
    if (shown && event.target !== shown && !box.contains(event.target)) hide();
  });
})();
