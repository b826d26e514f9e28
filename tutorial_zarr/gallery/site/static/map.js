// The map shows the way to a lesson, and the route that fits so many minutes; routes.js holds all of them.
(function () {
  "use strict";
  const form = document.getElementById("ask"), answer = document.getElementById("answer");
  const lessons = [...document.querySelectorAll(".lesson")], lines = [...document.querySelectorAll(".line")];
  const box = (name) => document.getElementById(`on-${name}`);

  function mark(kind, names) {
    const all = new Set(names);
    for (const lesson of lessons) lesson.classList.toggle(kind, all.has(lesson.id.slice(3)));
    for (const line of lines) line.classList.toggle(kind, all.has(line.dataset.from) && all.has(line.dataset.to));
  }
  for (const lesson of lessons) {
    const way = [lesson.id.slice(3), ...lesson.dataset.before.split(" ")];
    for (const kind of ["mouseenter", "focusin"]) lesson.addEventListener(kind, () => mark("way", way));
    for (const kind of ["mouseleave", "focusout"]) lesson.addEventListener(kind, () => mark("way", []));
  }

  function link(name) {
    const there = box(name), node = document.createElement(there.href ? "a" : "span");
    if (there.href) node.href = there.href.baseVal;
    node.textContent = there.querySelector(".title").textContent.trim().replace(/\s+/g, " ");
    return node;
  }
  function list(names, make) { return names.flatMap((name, at) => at ? [", ", make(name)] : [make(name)]); }
  function show() {
    const minutes = Number(form.elements.minutes.value), routes = window.ROUTES[form.elements.area.value];
    const found = routes.filter(([least]) => least <= minutes).pop();
    mark("taken", found ? found[1] : []);
    if (!found) {
      answer.replaceChildren(routes.length ? `The shortest lesson takes ${routes[0][0]} minutes.` : "No lesson yet.");
      return;
    }
    const [, names, took, known] = found;
    answer.replaceChildren(`${took} minutes: `, ...list(names, link), ".");
    if (known.length) answer.append(" It takes as known: ", ...list(known, link), ".");
  }
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  // Only one who asks gets an answer: the map is drawn without one.
})();
