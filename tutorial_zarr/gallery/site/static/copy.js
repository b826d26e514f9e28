// A button beside each block of code that copies it.
(function () {
  "use strict";
  for (const block of document.querySelectorAll("main pre.code")) {
    const around = document.createElement("div");
    const button = document.createElement("button");
    around.className = "block";
    button.className = "copy";
    button.type = "button";
    const name = function (word, spoken) { button.textContent = word; button.setAttribute("aria-label", spoken); };
    name("Copy", "Copy this code");
    block.replaceWith(around);
    around.append(block, button);
    button.addEventListener("click", function () {
      const done = function (word) {
        name(word, word);
        button.classList.add("done");
        setTimeout(function () { name("Copy", "Copy this code"); button.classList.remove("done"); }, 1500);
      };
      copied(block.textContent).then(() => done("Copied"), () => done("Select and copy"));
    });
  }
  // A page from a folder has no navigator.clipboard in some browsers.
  async function copied(text) {
    try { return await navigator.clipboard.writeText(text); } catch { /* the older way */ }
    const put = function (event) { event.clipboardData.setData("text/plain", text); event.preventDefault(); };
    document.addEventListener("copy", put, { once: true });
    const done = document.execCommand("copy");
    document.removeEventListener("copy", put);
    if (!done) throw new Error("refused");
  }
})();
