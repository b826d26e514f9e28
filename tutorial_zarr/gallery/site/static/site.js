// Everything works without this script; it adds the choice of a theme, and more in files of their own.
(function () {
  "use strict";
  const root = document.documentElement;
  function kept(name) { try { return localStorage.getItem(name); } catch { return null; } }
  function keep(name, value) { try { localStorage.setItem(name, value); } catch { /* a page from a folder may keep nothing */ } }
  const theme = kept("theme");
  if (theme) root.dataset.theme = theme;
  document.querySelector(".tools").hidden = false;
  document.getElementById("theme").addEventListener("click", function () {
    const dark = getComputedStyle(root).colorScheme === "dark";
    root.dataset.theme = dark ? "light" : "dark";
    keep("theme", root.dataset.theme);
  });
})();
