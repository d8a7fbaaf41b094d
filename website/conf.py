"""What Sphinx is told about the site."""

import sukkal

__all__: list[str] = []

project = "Sukkal"
version = release = sukkal.__version__
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["files"]

myst_heading_anchors = 6
myst_enable_extensions = ["attrs_block"]

# The style of the highlighted code in light and in dark; both are readable with the theme's colours.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
highlight_language = "none"

html_theme = "furo"
html_title = "Sukkal"
html_copy_source = False
# Summaries of what was found are fetched, which browsers refuse to pages that come from no server.
html_show_search_summary = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["sukkal.css"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5f73", "color-brand-content": "#0b5f73"},
    "dark_css_variables": {"color-brand-primary": "#7fd0e3", "color-brand-content": "#7fd0e3"},
}
