// The filters of the first page. What is chosen stands in the address, as #level=beginner&codec=gzip|zstd, which also
// works for a page from a folder; the form follows the address, so that Back and a reload work.
(function () {
  "use strict";
  const form = document.getElementById("filters"), cards = [...document.querySelectorAll(".card")];
  const boxes = [...form.querySelectorAll("input")], facets = [...new Set(boxes.map((box) => box.name))];
  const reset = form.querySelector("button");
  let kept = "";

  function chosen() {
    return Object.fromEntries(facets.map((name) =>
      [name, boxes.filter((box) => box.name === name && box.checked).map((box) => box.value)]));
  }
  function has(card, name, values) {
    const own = card.dataset[name].split("|");
    return !values.length || values.some((value) => own.includes(value));
  }
  function show() {
    const wanted = chosen();
    // Whether a card passes each facet: OR inside a facet, AND between them.
    const passed = cards.map((card) => facets.filter((name) => !has(card, name, wanted[name])));
    cards.forEach((card, at) => { card.hidden = passed[at].length > 0; });
    for (const area of document.querySelectorAll(".area")) area.hidden = !area.querySelector(".card:not([hidden])");
    for (const box of boxes) {
      // How many would be left of this value if the other facets stay as they are.
      const left = cards.filter((card, at) => passed[at].every((name) => name === box.name) && has(card, box.name, [box.value]));
      box.closest("label").querySelector(".count").textContent = left.length;
    }
    for (const fieldset of form.querySelectorAll("fieldset")) {
      const count = fieldset.querySelectorAll(":checked").length;
      fieldset.parentElement.querySelector(".chosen").textContent = count || "";
    }
    const found = cards.filter((card) => !card.hidden).length, any = boxes.some((box) => box.checked);
    document.getElementById("found").textContent = !any ? `${cards.length} lessons`
      : found ? `${found} of ${cards.length} lessons` : "No lesson has all of these.";
    reset.hidden = !any;
  }
  function write() {
    const wanted = chosen();
    kept = facets.filter((name) => wanted[name].length)
      .map((name) => `${name}=${wanted[name].map(encodeURIComponent).join("|")}`).join("&");
    if (location.hash.slice(1) !== kept) history.pushState(null, "", kept ? `#${kept}` : location.href.split("#")[0]);
    show();
  }
  function read() {
    const hash = location.hash.slice(1);
    if (hash && !hash.includes("=")) {  // a jump within the page: what was chosen stays chosen, also after a reload
      if (kept) history.replaceState(null, "", `#${kept}`);
      return show();
    }
    kept = hash;
    const wanted = Object.fromEntries(hash.split("&").map((part) => {
      const [name, values = ""] = part.split("=");
      return [name, values.split(/\||%7C/i).map(text)];
    }));
    for (const box of boxes) box.checked = (wanted[box.name] || []).includes(box.value);
    show();
  }
  function text(value) { try { return decodeURIComponent(value); } catch { return value; } }

  form.addEventListener("change", write);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const box of boxes) box.checked = false;
    write();
    form.querySelector("summary").focus();  // the button that had the focus is gone
  });
  window.addEventListener("hashchange", read);
  window.addEventListener("popstate", read);
  function close(but) {
    for (const details of form.querySelectorAll("details[open]")) if (details !== but) details.open = false;
  }
  document.addEventListener("click", (event) => close(event.target.closest("#filters details")));
  form.addEventListener("keydown", (event) => {
    const open = form.querySelector("details[open]");
    if (event.key === "Escape" && open) { close(); open.querySelector("summary").focus(); }
  });
  form.hidden = false;
  read();
})();
