"""Side-by-side timings of this library and of its peers, run by hand: see README.md in this folder."""
