// npm: {"zarrita": "0.7.5", "@zarrita/storage": "0.2.0"}
// zarrita, in JavaScript, on Node: arrays of counts and of floats, and one in a group.

import { readFileSync } from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline";

import FileSystemStore from "@zarrita/storage/fs";
import * as zarr from "zarrita";

const out = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr); // what a library prints is not a reply

const version = (name) =>
  JSON.parse(readFileSync(path.join(import.meta.dirname, "node_modules", name, "package.json"))).version;

const SITUATIONS = {
  counts: ["writes counts that may be zero", async (store) => {
    const array = await zarr.create(zarr.root(store).resolve("/v"), { dtype: "int16", shape: [2, 3], chunkShape: [2, 2] });
    const data = new Int16Array([0, 1, 2, 0, 7, 0]);
    await zarr.set(array, null, { data, shape: [2, 3], stride: [3, 1] });
    return [["v", [2, 3], "integer", [...data]]];
  }],
  named: ["writes counts with names of the axes, in a group", async (store) => {
    await zarr.create(zarr.root(store), { attributes: {} });
    const array = await zarr.create(zarr.root(store).resolve("/v"), {
      dtype: "int16", shape: [2, 3], chunkShape: [2, 3], dimensionNames: ["y", "x"],
    });
    const data = new Int16Array([0, 1, 2, 0, 7, 0]);
    await zarr.set(array, null, { data, shape: [2, 3], stride: [3, 1] });
    return [["v", [2, 3], "integer", [...data]]];
  }],
  floats: ["writes floats, half of them", async (store) => {
    await zarr.create(zarr.root(store), { attributes: {} });
    const array = await zarr.create(zarr.root(store).resolve("/v"), {
      dtype: "float32", shape: [4], chunkShape: [2], fillValue: NaN, dimensionNames: ["x"],
    });
    await zarr.set(array, [zarr.slice(0, 2)], { data: new Float32Array([1, 0]), shape: [2], stride: [1] });
    return [["v", [4], "real", [1, 0, null, null]]];
  }],
};

// The body of a function, without its last line, which says what was meant.
const call = (act) => {
  const lines = act.toString().split("\n").slice(1, -2);
  return lines.map((line) => line.slice(4)).join("\n");
};

function capabilities() {
  const situations = Object.entries(SITUATIONS).map(([id, [sentence, act]]) => [id, { sentence, call: call(act) }]);
  const versions = { zarrita: version("zarrita"), node: process.version };
  return { name: "zarrita", versions, situations: Object.fromEntries(situations) };
}

async function make(request) {
  const made = await SITUATIONS[request.situation][1](new FileSystemStore(request.path));
  const nodes = made.map(([node, shape, kind, values]) => {
    const meant = { shape, kind, values };
    return { node, meant, raw: values.includes(null) ? null : meant };
  });
  return { nodes };
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line);
  let reply;
  try {
    reply = { ok: true, ...(await { capabilities, make }[request.op](request)) };
  } catch (error) {
    reply = { ok: false, error: error?.name ?? "Error", message: String(error?.message ?? error).slice(0, 2000) };
  }
  out(`${JSON.stringify({ id: request.id, ...reply })}\n`);
}
