// Searches all pages. The index is loaded when somebody goes to the box, and nothing is asked of another computer.
(function () {
  "use strict";
  const root = document.body.dataset.root, box = document.getElementById("search-for");
  const place = document.getElementById("search"), panel = document.getElementById("search-found");
  const status = panel.querySelector("p"), list = panel.querySelector("ol"), MOST = 12;
  let index = null;

  const split = (text) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) || [];
  function load() {
    if (index || document.getElementById("search-index")) return;
    const script = document.createElement("script");
    script.id = "search-index";
    script.src = `${root}/search-index.js`;
    script.onload = () => {
      const { pages, common } = window.SEARCH;
      index = { common, pages: pages.map(([path, title, sections]) => ({
        path, title, words: split(title),
        sections: sections.map(([anchor, heading, shown, rest]) =>
          ({ anchor, heading, shown, rest: rest.split(" "), fields: [[split(heading), 5], [split(shown), 2], [rest.split(" "), 1]] })),
      })) };
      show();
    };
    script.onerror = () => { script.remove(); status.textContent = "The index of the search could not be loaded."; panel.hidden = false; };
    document.head.append(script);
  }
  // A word as it is counts more than one that only begins like it.
  function weight(words, wanted, value) {
    if (words.includes(wanted)) return value;
    return words.some((word) => word.startsWith(wanted)) ? value * 0.6 : 0;
  }
  function find(asked) {
    // A common word stands on many pages and is not in the whole index, so a page may lack it.
    const needed = asked.filter((word) => !index.common.some((known) => known.startsWith(word)));
    const found = [];
    for (const page of index.pages) {
      const scored = page.sections.map((section) => asked.map((word) =>
        section.fields.reduce((sum, [words, value]) => sum + weight(words, word, value), 0)));
      const title = asked.map((word) => weight(page.words, word, 12));
      const best = asked.map((_, at) => title[at] + Math.max(0, ...scored.map((scores) => scores[at])));
      if (asked.some((word, at) => !best[at] && needed.includes(word)) || !best.some(Boolean)) continue;
      const totals = scored.map((scores) => scores.reduce((a, b) => a + b, 0));
      const section = page.sections[totals.indexOf(Math.max(...totals))];
      found.push({ page, section, score: best.reduce((a, b) => a + b, 0) + Math.max(...totals) / 10 });
    }
    return found.sort((a, b) => b.score - a.score);
  }
  function marked(node, text, asked) {
    for (const piece of text.split(/([\p{L}\p{N}_]+)/u)) {
      if (asked.some((word) => piece.toLowerCase().startsWith(word))) node.append(Object.assign(document.createElement("mark"), { textContent: piece }));
      else node.append(piece);
    }
    return node;
  }
  function row({ page, section }, asked) {
    const item = document.createElement("li"), link = document.createElement("a"), text = document.createElement("span");
    link.href = `${root}/${page.path}${section.anchor ? `#${section.anchor}` : ""}`;
    link.append(marked(document.createElement("b"), page.title, asked));
    if (section.heading) link.append(marked(document.createElement("i"), section.heading, asked));
    marked(text, section.shown, asked);
    const beyond = section.rest.filter((word) => asked.some((one) => word.startsWith(one))).slice(0, 4);
    if (beyond.length) marked(text, ` ${beyond.join(" … ")}`, asked);
    link.append(text);
    item.append(link);
    return item;
  }
  function show() {
    const asked = [...new Set(split(box.value))];
    panel.hidden = !asked.length;
    if (!asked.length || !index) return;
    const found = find(asked);
    status.textContent = !found.length ? "Nothing found." : found.length > MOST ? `The best ${MOST} of ${found.length} pages`
      : found.length === 1 ? "1 page" : `${found.length} pages`;
    list.replaceChildren(...found.slice(0, MOST).map((one) => row(one, asked)));
  }
  function close() { panel.hidden = true; }

  box.addEventListener("focus", () => { load(); show(); });
  box.addEventListener("input", show);
  place.addEventListener("keydown", (event) => {
    const stops = [box, ...list.querySelectorAll("a")], at = stops.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && !panel.hidden) { event.preventDefault(); box.focus(); close(); }
    else if (event.key === "Enter" && at === 0 && stops[1] && !panel.hidden) { event.preventDefault(); stops[1].click(); }
    else if (step && at >= 0 && !panel.hidden) { event.preventDefault(); (stops[at + step] || stops[at]).focus(); }
  });
  // Back to the box shows what was found: the focus event above would also open it after Escape, so that closes last.
  place.addEventListener("focusout", (event) => { if (!place.contains(event.relatedTarget)) close(); });
  panel.addEventListener("click", (event) => { if (event.target.closest("a")) close(); });
  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest("input, textarea, select, [contenteditable]") || event.ctrlKey || event.metaKey || event.altKey;
    if (event.key === "/" && !busy) { event.preventDefault(); box.focus(); box.select(); }
  });
})();
