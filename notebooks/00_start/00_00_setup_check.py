# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Check your set-up before the first lesson
#
# **Question.** Is everything here that the lessons need?

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★ beginner |
# | **Time** | 5 minutes |
# | **Needs** | nothing |
# | **Code** | `tutorial_zarr/cli/check.py` |
# | **Article** | none |
# | **Data** | every data set of the lessons, looked at and left alone (`data_gen/vendor`) |
#
# **You will be able to**
#
# - see which versions and codecs you have, and how to get what is missing
# - see that the lessons' data are complete, without a network
# - write an array of four chunks, and read it back
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# Choose *Run All* in the menu. Nothing is downloaded, and nothing is written outside of a temporary folder.

# %% tags=["parameters"]
seed = 0
quick = True
workers = 2
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3

# %%
import importlib
import json
import pkgutil

import numpy as np

import data_gen
import tutorial_zarr as zarr
from tutorial_zarr import viz
from tutorial_zarr.cli.check import installation
from tutorial_zarr.gallery.lesson import output_folder, save_facts

out = output_folder(out_dir)

# %% [markdown]
# **Versions.** `tutorial-zarr check` prints the same in a terminal.

# %% tags=["nbval-ignore-output"]
report = installation()
for name, version in report["versions"].items():
    print(f"{name:15} {version or 'MISSING'}")
(out / "installation.json").write_text(json.dumps(report), encoding="utf-8")
print("\nThe core is complete and works." if report["ok"] else "\nThe core is not complete.")

# %% [markdown]
# **Codecs.** Each has just compressed and decompressed a small array.
# One that needs a package which is not here says what to type.

# %% tags=["nbval-ignore-output"]
working = [codec["name"] for codec in report["codecs"] if codec["works"]]
print(len(working), "work:", *working)
for codec in report["codecs"]:
    if not codec["works"]:
        print(f"{codec['name']}: {codec['install'] or codec['problem']}")
for extra in report["extras"]:
    if extra["missing"]:
        print(f"extra {extra['name']}: for {', '.join(extra['missing'])}, try {extra['install']}")

# %% [markdown]
# **Data.** Every data set is made or loaded once, and compared with what is known about it.

# %%
checked = {}
for module in pkgutil.iter_modules(data_gen.__path__):
    if not module.ispkg:
        data_set = importlib.import_module(f"data_gen.{module.name}")
        result = data_set.make("small", seed)
        checked[module.name] = all(low <= v <= high for v, low, high in data_set.realism(result).values())
        print(f"{module.name}:", "as expected" if checked[module.name] else "NOT as expected")

# %% [markdown]
# **An array.** Four chunks, to a folder and back. The one below on the right was never written.

# %%
layout = {"shape": (4, 4), "chunks": (2, 2), "dtype": "int32"}
a = zarr.create_array(out / "four.zarr", zarr_format=zarr_format, overwrite=True, **layout)
a[:, :2] = np.arange(8).reshape(4, 2)
a[:2, 2:] = 8
print(zarr.open_array(out / "four.zarr", mode="r")[...])
viz.chunk_grid(a)

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - The versions and codecs above are yours; a line with `pip install` brings what is missing, and only some
#   lessons need it.
# - The data lie in the repository and were as expected. If one was not, fetch a fresh copy of the repository.
# - If you see three filled squares and one empty one, you have written and read your first Zarr array.
#
# Go on with [your first Zarr array](../01_core_zarr/01_01_first_zarr_array.ipynb).

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
facts = {
    "chunks": a.nchunks,
    "chunks_stored": a.nchunks_initialized,
    "sum": int(a[...].sum()),
    "data_sets": checked,
}
save_facts(out, facts)
