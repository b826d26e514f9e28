"""Who reads whose stores: a matrix of the Zarr implementations that run here, in both directions.

Every implementation (a *peer*) is driven by a small program in `peers/`, in a process and an environment of its
own, through one protocol; this library is one of them. `cases` says what is written and what must be read; `matrix`
runs it; `outcomes` judges. `protocol/GUIDE.md` tells how to add a peer, which is one file.

Read in this order: `cases` (with `recipes`, `values`, `elements`), `protocol/peer_protocol`, `process`,
`environments`, `outcomes`, `matrix`. `costs` is a table of its own: what everyday reads cost each reader.

Not here: whether this library reads what the specification allows; that is `tests/spec`, against stores written
byte by byte. Two implementations that agree can both be wrong.
"""
