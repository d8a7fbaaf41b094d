"""The pages of the documentation, as tests read them."""

from pathlib import Path
from typing import Final

from website import staging

__all__ = ["PAGES", "read", "rows"]

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = staging.pages(ROOT)


def read(page: str) -> str:
    """Return the text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def rows(page: str) -> dict[str, list[str]]:
    """Return the rows of a page's tables by the code in their first cell."""
    split = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in read(page).splitlines() if line[:1] == "|"
    ]
    return {cells[0].strip("`"): cells[1:] for cells in split if cells[0].startswith("`")}
