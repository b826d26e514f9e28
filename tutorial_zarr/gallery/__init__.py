"""The gallery's machinery: find the notebooks, run them, build them from their sources, hold them to their
contract.

A notebook is a pair: ``PP_NN_slug.py`` is the source, in jupytext's percent format; ``PP_NN_slug.ipynb``
beside it is built from it, with outputs, and the same source always gives the same bytes. Beside them lie
``.facts.json``, every number that the notebook's article quotes.

    list_notebooks()   what there is (`catalogue`)
    run()              run notebooks with papermill, away from the network, one process each (`runner`)
    build()            source -> notebook with outputs, facts, figures (`runner`, `source`)
    check()            the contract, as a list of what breaks it (`contract`), articles included (`articles`)

A new notebook comes from `template`, copies of all from `copies`, the students' version from `student`, nbval's
comparison with the stored outputs is `stored_outputs`, what a reader sees of a figure is in `pictures`, and an article
for a publishing site comes from `publish`.

The site is in `site`, and a workshop, from the plan to the board, in `workshop`.

What a notebook itself imports is in `lesson`. The lessons' data are in the package `data_gen`.
"""

from tutorial_zarr.gallery.articles import check_articles
from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, list_notebooks
from tutorial_zarr.gallery.contract import check
from tutorial_zarr.gallery.runner import build, run

__all__ = ["GalleryError", "Notebook", "build", "check", "check_articles", "list_notebooks", "run"]
