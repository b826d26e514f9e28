"""The hot path: selections of an array to and from the chunks of a store. Read it in this order:

    chunks    `ChunkIO`: what the metadata say about a chunk; one chunk decoded, encoded, updated
    plain     the plain way: for each chunk fetch, decode, copy; and back
    reading   `read`: the same, quickly
    shards    reading within shards: their index, and then ranges of bytes
    writing   `write`: chunks and shards, whole or in part, quickly

Who holds which buffer when an array is read::

    store --read--> encoded    one buffer a worker, reused for every chunk
                      |   decode
                    scratch    one chunk a worker, reused; skipped where the chunk's place in the output is
                      |        contiguous: then the last codec decodes straight into it
                    output     the caller's array

What makes it quick is what it does not do: no object, task or coroutine for a chunk, no intermediate copy, no
fresh memory (whose pages would have to be faulted in), and no thread where the whole job is small. What can be
worked out for an axis is never worked out for a chunk (`indexing.Split`). Of a chunk that is stored as it is in
memory, only the stretches that are selected are read. Small chunks are read, decoded and copied a group at a time,
and those of Blosc decoded in one call (`codecs.blosc_join`), so that threads seldom wait for each other.

Writing runs the same way backwards. A chunk that is selected whole is encoded from the caller's array; any other
is read, changed and written back, under a lock, so that threads do not undo each other's work.
"""

from .chunks import ChunkIO
from .reading import read
from .writing import write

__all__ = ["ChunkIO", "read", "write"]
