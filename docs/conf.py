"""Sphinx for `make docs`. Nothing is fetched while it builds; every warning is an error there."""

import hashlib
import sys
from pathlib import Path

import spikeport

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "_ext"))

project = "spikeport"
version = release = spikeport.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "myst_nb",
    "command_reference",
    "docstrings",
    "mathml",
    "repository",
]
exclude_patterns = ["_build", "_ext", "_static"]

html_theme = "furo"
html_title = "spikeport"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
smartquotes_action = "D"  # dashes, which fields of docstrings have; quotes stay as they are typed
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath", "fieldlist"]
myst_heading_anchors = 3


def _code() -> str:
    """What a notebook's outputs depend on beside its own cells, which the cache sees itself."""
    files = sorted((ROOT / "spikeport").rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "notebooks" / _code())
nb_execution_raise_on_error = True
nb_merge_streams = True  # one block for what a loop prints
nb_execution_in_temp = True
nb_execution_timeout = 600  # a cell; all of a tutorial takes a minute on a quiet core

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
default_role = "py:obj"  # `name` in a docstring: a link where the name is in the reference, else plain code

nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", ".*"),  # see default_role
    # names of others: their inventories are on the network
    (r"py:.*", r"(torch|np|numpy|nir|nn|os|collections|pathlib|fractions|datetime|abc)\..*"),
    (r"py:.*", "Fabric|Module"),
    # what the parts hand to each other, and no user makes
    ("py:class", r"spikeport\.train\.(fold\.Folded|fused\.current\.Current|group\.Running|models\.source\.Source)"),
    ("py:class", r"spikeport\.train\.autoencoders\.(noise\.Noise(Shape)?|base\.(Reconstruction|Losses))"),
    ("py:class", r"spikeport\.deploy\.(nodes\..*|network\.Network|quantize\.integer_network\.IntegerNetwork)"),
    ("py:class", r"spikeport\.sim\.(engine\.)?state\.State"),
]

linkcheck_timeout = 20
