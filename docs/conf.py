"""Site: how the pages of this folder become one; `make docs` builds it."""

from importlib.metadata import version as of

project = "vertune"
version = release = of("vertune")
copyright = "the authors of vertune"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "vertune"
html_show_sourcelink = False
nitpicky = True  # a reference that leads nowhere is an error
myst_heading_anchors = 3  # headings are what pages link to
suppress_warnings = ["myst.header"]  # a page of the README begins below its title
