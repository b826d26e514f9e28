// npm: {"zarrita": "^0.7.5", "@zarrita/storage": "^0.2.0"}
// zarrita, in JavaScript, on Node.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import * as path from "node:path";
import { createInterface } from "node:readline";

import FileSystemStore from "@zarrita/storage/fs";
import * as zarr from "zarrita";

class Unsupported extends Error {}

const out = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr); // what a library prints is not a reply
console.log = console.error;

const version = (name) => {
  const folder = path.join(import.meta.dirname, "node_modules", name);
  return JSON.parse(readFileSync(path.join(folder, "package.json"))).version;
};

// https://zarrita.dev and the registry of codecs in its source
const TYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 string".split(" ");
const CODECS = "blosc gzip zstd crc32c transpose vlen-utf8 bitround cast_value scale_offset".split(" ");
const NUMCODECS = "blosc gzip zlib zstd lz4 shuffle delta bitround".split(" ");
const CODECS2 = "blosc gzip zlib zstd lz4 shuffle delta bitround fixedscaleoffset json2 vlen-utf8".split(" ");
const ELEMENTS = [
  ...TYPES.map((name) => `type:${name}`), "type:null_terminated_bytes", "type:fixed_length_utf32", "type:object",
  ...CODECS.map((name) => `codec:${name}`), ...NUMCODECS.map((name) => `codec:numcodecs.${name}`),
  "codec:zstd with checksum", ...CODECS2.map((name) => `codec2:${name}`), "codec2:zstd with checksum",
  "format:*", "grid:regular", "keys:*", "layout:*", "endian:*", "fill:*", "blosc:*", "names:*", "attributes:*",
  "groups:consolidated", "data:*", "cast:*", "codec2:delta with astype",
  "!format:3+type:fixed_length_utf32", "!format:3+type:null_terminated_bytes",
  "!layout:index-at-start", "!layout:shards-in-shards", "!layout:codecs-after-shards", "!layout:zero-length",
];
const DECODED_ONLY = ["gzip", "crc32c", "scale_offset", "bitround", "cast_value", "numcodecs.gzip", "numcodecs.zlib"];
const WRITTEN = [...ELEMENTS, ...[...DECODED_ONLY, "numcodecs.bitround"].map((name) => `!codec:${name}`)];

// --- canonical bytes

const KINDS = {
  bool: ["bool", 1], int8: ["int8", 1], int16: ["int16", 2], int32: ["int32", 4], int64: ["int64", 8],
  uint8: ["uint8", 1], uint16: ["uint16", 2], uint32: ["uint32", 4], uint64: ["uint64", 8],
  float16: ["float16", 2], float32: ["float32", 4], float64: ["float64", 8],
};

function withLengths(items) {
  const parts = items.flatMap((item) => {
    const body = Buffer.from(item);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    return [length, body];
  });
  return Buffer.concat(parts);
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

function bytesOf(view) {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

// Elements in C order, little-endian, whatever the strides; and the name of their type.
function canonical(chunk, dtype) {
  const { data, shape, stride } = chunk;
  const size = shape.reduce((a, b) => a * b, 1);
  const order = [];
  const index = shape.map(() => 0);
  for (let n = 0; n < size; n++) {
    order.push(index.reduce((sum, i, axis) => sum + i * stride[axis], 0));
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  if (dtype in KINDS) {
    const [name, width] = KINDS[dtype];
    const raw = dtype === "bool" ? Buffer.from(Array.from(data, Number)) : bytesOf(data);
    const found = Buffer.alloc(size * width);
    order.forEach((from, to) => raw.copy(found, to * width, from * width, (from + 1) * width));
    return [found, name];
  }
  const get = (i) => (typeof data.get === "function" ? data.get(i) : data[i]);
  if (dtype.startsWith("v2:U") || dtype.startsWith("v2:S")) {
    const length = Number(dtype.slice(4));
    const width = dtype[3] === "U" ? 4 * length : length;
    const found = Buffer.alloc(size * width);
    order.forEach((from, to) => {
      const text = get(from);
      if (dtype[3] === "U") [...text].forEach((c, k) => found.writeUInt32LE(c.codePointAt(0), to * width + 4 * k));
      else Buffer.from(text).copy(found, to * width);
    });
    return [found, dtype.slice(3).replace(":", "")];
  }
  const items = order.map(get);
  if (items.every((item) => typeof item === "string")) return [withLengths(items), items.length ? "string" : "object"];
  return [withLengths(items.map((item) => JSON.stringify(sorted(item ?? null)))), "object"];
}

// --- reading and writing

async function openArray(request) {
  const store = new FileSystemStore(request.path);
  const at = zarr.root(store).resolve(request.node ? `/${request.node}` : "/");
  if (request.consolidated) {
    const consolidated = await zarr.withConsolidatedMetadata(store);
    return zarr.open(zarr.root(consolidated).resolve(`/${request.node}`), { kind: "array" });
  }
  const format = existsSync(path.join(request.path, request.node ?? "", "zarr.json")) ? "v3" : "v2";
  return zarr.open[format](at, { kind: "array" });
}

// What JSON cannot say is a difference all the same.
const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (typeof v === "bigint" ? Number(v) : v)));

async function read(request) {
  if (request.kind === "group") throw new Unsupported("zarrita lists no groups in a folder");
  const array = await openArray(request);
  const attributes = plain(array.attrs ?? {});
  if (request.describe) return { shape: array.shape, attributes };
  const region = request.region?.map(([start, stop]) => zarr.slice(start, stop));
  // Without axes `get` gives a scalar, whose bits would have to be guessed.
  const chunk = array.shape.length
    ? await zarr.get(array, region ?? null)
    : { data: (await array.getChunk([])).data, shape: [], stride: [] };
  const [raw, dtype] = canonical(chunk, array.dtype);
  if (request.bytes_to) writeFileSync(request.bytes_to, raw);
  const sha256 = createHash("sha256").update(raw).digest("hex");
  const shape = request.region?.map(([start, stop]) => stop - start) ?? array.shape;
  return { shape, dtype, attributes, sha256, nbytes: raw.length };
}

const ARRAYS = {
  int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array,
  uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array,
  float32: Float32Array, float64: Float64Array,
};

const strides = (shape) => shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));

function fillValue(value, kind) {
  if (typeof value === "string" && value.startsWith("0x")) throw new Unsupported("a fill value given by its bits");
  // It is typed as a bigint for 64-bit integers, and fails to write one.
  if (!Number.isSafeInteger(value) && kind.includes("int64")) throw new Unsupported("a fill value beyond 2^53");
  return { NaN: NaN, Infinity, "-Infinity": -Infinity }[value] ?? value;
}

async function write(request) {
  const given = request.case;
  const { document } = given;
  if (given.zarr_format !== 3) throw new Unsupported("zarrita writes Zarr 3 only");
  if (!(given.dtype in ARRAYS) && given.dtype !== "bool") throw new Unsupported(`this program writes no ${given.dtype}`);
  if (document.chunk_grid.name !== "regular") throw new Unsupported("a grid other than the regular one");
  if (document.codecs.some((codec) => codec.name === "sharding_indexed")) {
    throw new Unsupported("zarrita does not write into shards");
  }
  if (document.chunk_key_encoding.name !== "default") throw new Unsupported("a chunk key encoding other than default");
  if (/[0-9]{16}/.test(JSON.stringify(given.attributes))) throw new Unsupported("attributes beyond 2^53");
  if (given.consolidated) throw new Unsupported("zarrita writes no consolidated metadata");
  await mkdir(request.path, { recursive: true });
  const root = zarr.root(new FileSystemStore(request.path));
  for (const [group, attributes] of Object.entries(given.groups)) {
    await zarr.create(root.resolve(`/${group}`), { attributes });
  }
  const array = await zarr.create(root.resolve(`/${given.node}`), {
    dtype: given.dtype,
    shape: given.shape,
    chunkShape: document.chunk_grid.configuration.chunk_shape,
    chunkSeparator: document.chunk_key_encoding.configuration.separator,
    codecs: document.codecs,
    fillValue: fillValue(document.fill_value, given.dtype),
    dimensionNames: document.dimension_names,
    attributes: given.attributes,
  });
  const raw = readFileSync(given.bytes_from);
  const width = given.dtype === "bool" ? 1 : ARRAYS[given.dtype].BYTES_PER_ELEMENT;
  const steps = strides(given.shape);
  for (const region of given.regions) {
    const shape = region.map(([start, stop]) => stop - start);
    const stride = strides(shape);
    const size = shape.reduce((a, b) => a * b, 1);
    const part = Buffer.from(new ArrayBuffer(size * width)); // bytes are moved: assigning would change a NaN's bits
    for (let n = 0; n < size; n++) {
      let from = 0;
      shape.forEach((length, axis) => (from += ((Math.floor(n / stride[axis]) % length) + region[axis][0]) * steps[axis]));
      raw.copy(part, n * width, from * width, (from + 1) * width);
    }
    const data = given.dtype === "bool" ? new zarr.BoolArray(part.buffer) : new ARRAYS[given.dtype](part.buffer);
    if (shape.length === 0) await zarr.set(array, null, given.dtype === "bool" ? data.get(0) : data[0]);
    else await zarr.set(array, region.map(([start, stop]) => zarr.slice(start, stop)), { data, shape, stride });
  }
  return {};
}

async function capabilities() {
  return {
    name: "zarrita",
    versions: { zarrita: version("zarrita"), "@zarrita/storage": version("@zarrita/storage"), node: process.version },
    reads: true, lists: false, writes: true, elements: ELEMENTS, elements_written: WRITTEN,
  };
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line);
  let reply;
  try {
    const operation = { capabilities, read, write }[request.op];
    if (!operation) throw new Unsupported(`an operation ${request.op}`);
    reply = { ok: true, ...(await operation(request)) };
  } catch (error) {
    console.error(error);
    const kind = error instanceof Unsupported ? "Unsupported" : (error?.name ?? "Error");
    reply = { ok: false, error: kind, message: String(error?.message ?? error).slice(0, 2000) };
  }
  out(`${JSON.stringify({ id: request.id, ...reply })}\n`);
}
