// What a lesson's page can do with a script: keep a guess, print everything, say where one is.
(function () {
  "use strict";
  function kept(name) { try { return localStorage.getItem(name); } catch { return null; } }
  function keep(name, value) { try { localStorage.setItem(name, value); } catch { /* nothing is kept then */ } }
  function make(tag, text, values) { return Object.assign(document.createElement(tag), { textContent: text }, values); }

  // One box for each question; all that answers it opens with it. A box that hides nothing keeps the guess in sight.
  const boxes = new Map();
  for (const place of document.querySelectorAll("[data-guess]")) {
    const name = place.dataset.guess;
    boxes.set(name, [...(boxes.get(name) || []), place]);
  }
  for (const [name, places] of boxes) {
    const answers = places.filter((place) => place.tagName === "DETAILS");
    const box = make("form", "", { className: "ask" });
    const ask = function () {
      const input = make("input", "", { id: "guess-" + name, autocomplete: "off", value: kept("guess:" + name) || "" });
      const label = make("label", "Your guess", { htmlFor: input.id });
      box.replaceChildren(label, input, make("button", answers.length ? "Compare" : "Keep", { type: "submit" }));
      if (!answers.length) box.append(make("small", "The lesson answers bit by bit. What you write stays in this browser."));
      return input;
    };
    const said = function (guess) {
      const change = make("button", "Change", { type: "button", className: "plain" });
      change.addEventListener("click", function () { ask().focus(); });
      box.replaceChildren(make("span", "You guessed"), make("q", guess), change);
    };
    box.addEventListener("submit", function (event) {
      event.preventDefault();
      const guess = box.querySelector("input").value.trim();
      if (!guess) { box.querySelector("input").focus(); return; }
      keep("guess:" + name, guess);
      said(guess);
      answers.forEach(function (answer) { answer.open = true; });
      if (answers.length) answers[0].querySelector("summary").focus();
    });
    const guess = kept("guess:" + name);
    if (guess) { said(guess); answers.forEach(function (answer) { answer.open = true; }); } else ask();
    places[0].before(box);
  }

  // What cannot be scrolled needs no stop of the Tab key.
  const scrolled = document.querySelectorAll("[tabindex='0']");
  function stops() {
    for (const each of scrolled) each.tabIndex = each.scrollWidth > each.clientWidth ? 0 : -1;
  }
  stops();
  addEventListener("resize", stops);
  document.addEventListener("toggle", stops, true);

  // A link to something folded opens it.
  function open() {
    let target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    const fold = target && target.querySelector("details.fold:not(.guess)");
    if (fold && target.id.startsWith("cell-")) fold.open = true;
    if (target) target.scrollIntoView();
  }
  addEventListener("hashchange", open);
  if (location.hash) open();

  // Paper cannot be opened, and is light: so are the cards that lie on it, which have colours of their own.
  const root = document.documentElement;
  let folded = [], theme;
  addEventListener("beforeprint", function () {
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const each of folded) each.open = true;
    for (const image of document.images) image.loading = "eager";
  });
  addEventListener("afterprint", function () {
    if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
    for (const each of folded) each.open = false;
  });
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", function () { print(); });
  }

  const contents = document.querySelector(".contents details");
  if (contents && matchMedia("(max-width: 62rem)").matches) contents.open = false;
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  let here = null;
  const seen = new IntersectionObserver(function (entries) {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      if (here) here.removeAttribute("aria-current");
      here = links.get(encodeURIComponent(entry.target.id)) || links.get(entry.target.id);
      if (here) here.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "0px 0px -70% 0px" });
  for (const heading of document.querySelectorAll("article h2[id]")) seen.observe(heading);
})();
