// npm: {"zarrita": "^0.7.5", "@zarrita/storage": "^0.2.0"}
// zarrita, in JavaScript, on Node: its FetchStore, which reads a bucket by its URL as it reads any server.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline";

import * as zarr from "zarrita";

const out = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr); // what a library prints is not a reply
console.log = console.error;

const version = (name) => {
  const folder = path.join(import.meta.dirname, "node_modules", name);
  return JSON.parse(readFileSync(path.join(folder, "package.json"))).version;
};

const url = ({ kind, url, endpoint, bucket, path: key }) => (kind === "http" ? url : `${endpoint}/${bucket}/${key}`);

// What `get` gives is in C order.
const bytes = ({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

async function cost({ place, nodes, region }) {
  const store = new zarr.FetchStore(url(place));
  if (nodes.length > 1) {
    const root = zarr.root(await zarr.withConsolidatedMetadata(store));
    const arrays = await Promise.all(nodes.map((name) => zarr.open(root.resolve(`/${name}`), { kind: "array" })));
    const found = await Promise.all(arrays.map((array) => zarr.get(array)));
    const sha256 = createHash("sha256").update(Buffer.concat(found.map(bytes))).digest("hex");
    return { shapes: found.map((each) => each.shape), sha256 };
  }
  const array = await zarr.open.v3(zarr.root(store).resolve(`/${nodes[0]}`), { kind: "array" });
  if (region === null) return { shapes: [array.shape], sha256: "" };
  const found = await zarr.get(array, region.map(([start, stop]) => zarr.slice(start, stop)));
  return { shapes: [found.shape], sha256: createHash("sha256").update(bytes(found)).digest("hex") };
}

const versions = { zarrita: version("zarrita"), "@zarrita/storage": version("@zarrita/storage"), node: process.version };
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line);
  let reply;
  try {
    const found = request.op === "cost" ? await cost(request) : { readers: ["zarrita"], versions };
    reply = { ok: true, ...found };
  } catch (error) {
    console.error(error);
    reply = { ok: false, error: error?.name ?? "Error", message: String(error?.message ?? error).slice(0, 2000) };
  }
  out(`${JSON.stringify({ id: request.id, ...reply })}\n`);
}
