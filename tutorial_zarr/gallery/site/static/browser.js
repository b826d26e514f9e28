// Python, as Pyodide, and zarrita.js share one store in this tab. Nothing is fetched before the button is pressed.
(function () {
  "use strict";
  const at = (id) => document.getElementById(id);
  const live = at("live"), start = at("start"), state = at("state"), kind = at("kind");
  const FIRST = [0, 1, 2, 3].map((row) => [0, 1, 2, 3, 4, 5].map((column) => (6 * row + column) ** 2 + 1));
  const ALL = [[0, 4], [0, 6]];
  let store, python;

  // --- the store
  const view = {
    get(key) { // zarrita.js begins each key with a slash
      const found = store.get(key.slice(1));
      const bytes = found?.toJs();
      found?.destroy();
      return bytes;
    },
    getRange(key, { offset, length, suffixLength }) {
      const bytes = this.get(key);
      return suffixLength ? bytes?.slice(-suffixLength) : bytes?.slice(offset, offset + length);
    },
    set(key, bytes) { python.put(key.slice(1), bytes); },
  };

  async function javascriptReads() {
    const array = await zarrita.open(view, { kind: "array" });
    const { data, shape, stride } = await zarrita.get(array);
    return Array.from({ length: shape[0] }, (_, row) =>
      Array.from({ length: shape[1] }, (_, column) => Number(data[row * stride[0] + column * stride[1]])));
  }

  async function javascriptWrites([rows, columns], numbers) {
    const array = await zarrita.open(view, { kind: "array" });
    const kind = (await array.getChunk([0, 0])).data.constructor;
    const data = kind.from(numbers.flat(), kind.name.startsWith("Big") ? BigInt : Number);
    const shape = [numbers.length, numbers[0].length];
    await zarrita.set(array, [zarrita.slice(...rows), zarrita.slice(...columns)], { data, shape, stride: [shape[1], 1] });
  }
  // --- the page

  const write = {
    python: async ([rows, columns], numbers) => python.write(rows, columns, JSON.stringify(numbers)),
    javascript: javascriptWrites,
  };
  const read = { python: async () => JSON.parse(python.read()), javascript: javascriptReads };
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  function refusal(error) { // zarrita.js says what it does not do; anything else is a fault
    for (let cause = error; cause; cause = cause.cause) if (cause.name === "UnsupportedError") return cause.message;
    return null;
  }

  async function attempt(cell, name, writer, reader) {
    python.create(name);
    try {
      await write[writer](ALL, FIRST);
      const right = same(await read[reader](), FIRST);
      cell.className = right ? "ok" : "bad";
      cell.textContent = right ? "✓ 24 of 24 numbers" : "other numbers came back";
    } catch (error) {
      cell.className = refusal(error) ? "refused" : "bad";
      cell.textContent = refusal(error) ? `It says: ${refusal(error)}` : String(error).trim().split("\n").pop();
    }
  }

  function table(id, rows, changed) {
    at(id).tBodies[0].replaceChildren(...rows.map((numbers, row) => {
      const line = document.createElement("tr");
      numbers.forEach((number, column) => {
        const cell = line.insertCell();
        cell.textContent = number;
        if (changed && changed[0] === row && changed[1] === column) cell.className = "new";
      });
      return line;
    }));
  }

  function contents() {
    const keys = [...store.keys()].sort();
    return new Map(keys.map((key) => [key, view.get(`/${key}`)]));
  }

  async function show(before, changed) {
    table("python", await read.python(), changed);
    table("javascript", await read.javascript(), changed);
    at("objects").tBodies[0].replaceChildren(...Array.from(contents(), ([key, bytes]) => {
      const line = document.createElement("tr"), code = document.createElement("code");
      const fresh = before && String(before.get(key)) !== String(bytes);
      line.insertCell().textContent = fresh ? `${key} (new)` : key;
      if (fresh) line.cells[0].className = "new";
      line.insertCell().textContent = bytes.length;
      const hex = Array.from(bytes.slice(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
      code.textContent = bytes[0] === 123 ? new TextDecoder().decode(bytes).replace(/\s+/g, " ") : `${hex} …`;
      line.insertCell().append(code);
      return line;
    }));
  }

  async function begin() {
    python.create(kind.value);
    await write.python(ALL, FIRST);
    at("said").textContent = "";
    await show();
  }

  async function change(event) {
    event.preventDefault();
    const [row, column, number] = ["row", "column", "number"].map((id) => at(id).valueAsNumber);
    const by = event.submitter?.value || "python", before = contents();
    try {
      await write[by]([[row, row + 1], [column, column + 1]], [[number]]);
      await show(before, [row, column]);
      const now = [await read.python(), await read.javascript()].map((rows) => rows[row][column]);
      at("said").textContent = same(now[0], now[1]) ? `Both read ${now[0]} there.` : `They read ${now.join(" and ")} there.`;
    } catch (error) {
      at("said").textContent = `Nothing was written: ${refusal(error) || String(error).trim().split("\n").pop()}.`;
    }
  }

  async function load() {
    start.disabled = true;
    state.textContent = "Python is being fetched …";
    try {
      const base = new URL(`${live.dataset.pyodide}/`, location.href).href;
      const { loadPyodide } = await import(`${base}pyodide.mjs`);
      const pyodide = await loadPyodide({ indexURL: base });
      await pyodide.loadPackage(["numpy", new URL(live.dataset.wheel, location.href).href]);
      pyodide.runPython(await (await fetch(live.dataset.code)).text());
      python = Object.fromEntries(["create", "write", "read", "put"].map((name) => [name, pyodide.globals.get(name)]));
      store = pyodide.globals.get("store");
      const kinds = [...pyodide.globals.get("KINDS").keys()];
      for (const name of kinds) {
        const line = at("cells").tBodies[0].insertRow(), head = document.createElement("th");
        head.scope = "row";
        head.textContent = name;
        line.append(head);
        await attempt(line.insertCell(), name, "python", "javascript");
        await attempt(line.insertCell(), name, "javascript", "python");
        kind.append(new Option(name));
      }
      document.querySelector("#form fieldset").disabled = false;
      await begin();
      state.textContent = "Ready: Python and JavaScript share one store.";
    } catch (error) {
      state.textContent = `It does not start: ${String(error).trim().split("\n").pop()}`;
      start.disabled = false;
    }
  }

  start.addEventListener("click", load);
  kind.addEventListener("change", begin);
  at("form").addEventListener("submit", change);
  if (location.protocol === "file:") state.textContent = "From a folder it does not start; try: tutorial-zarr gallery serve FOLDER";
  else { start.disabled = false; state.textContent = ""; }
})();
