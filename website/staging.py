"""The pages of the repository, laid out as the site has them, with links that lead there."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

__all__ = ["INDEX", "SECTIONS", "pages", "place_of", "stage", "title_of"]

INDEX: Final = "docs/README.md"

SECTIONS: Final[Mapping[str, str]] = {
    "tutorial": "Learn",
    "howto": "How to",
    "reference": "Look up",
    "explanation": "Understand",
    "examples": "Examples",
    "project": "The project",
}
"""The folders of the site, in the order of its navigation, and what each is called there."""

_OF_THE_PROJECT: Final = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "bench/README.md",
    "deploy/README.md",
    "docs/decisions/README.md",
)
_PLACES: Final = {"README.md": "readme.md", "bench/README.md": "bench.md", "deploy/README.md": "deploy.md"}
_LINK: Final = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)(#[^)\s]+)?(?=\))")
_HEADING: Final = re.compile(r"^# (.+)$", re.MULTILINE)


def pages(root: Path) -> list[str]:
    """Return the paths of all pages below the repository's root."""
    found = [*root.glob("*.md"), *(root / "bench").glob("*.md"), *(root / "deploy").glob("*.md")]
    found += [*(root / "docs").rglob("*.md"), *(root / "examples").rglob("*.md")]
    return sorted(path.relative_to(root).as_posix() for path in found)


def place_of(page: str) -> str:
    """Return where a page of the repository stands in the site."""
    path = PurePosixPath(page)
    if page == INDEX:
        return "index.md"
    if page.startswith("docs/decisions/"):
        return "decisions/" + ("index.md" if path.name == "README.md" else path.name)
    if path.parts[0] == "docs":
        return path.relative_to("docs").as_posix()
    if path.parts[0] == "examples":
        return path.parent.as_posix() + "/index.md"
    return "project/" + _PLACES.get(page, path.name.lower())


def title_of(text: str) -> str:
    """Return the first heading of a page."""
    found = _HEADING.search(text)
    return found[1] if found else ""


def stage(root: Path, target: Path, made: Mapping[str, str]) -> None:
    """Write the sources of the site: the pages of the repository, and those ``made`` for it by their places."""
    found = pages(root)
    for page in found:
        text = (root / page).read_text(encoding="utf-8")
        _write(target / place_of(page), _relinked(root, page, text, target))
    for place, text in made.items():
        _write(target / place, text)
    places = {**{place_of(page): page for page in found}, **dict.fromkeys(made, "")}
    for place, contents in (
        ("index.md", _navigation(root, places)),
        ("decisions/index.md", _tree("", sorted(each[10:] for each in places if each.startswith("decisions/0")))),
    ):
        with (target / place).open("a", encoding="utf-8") as file:
            file.write("\n" + contents)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _navigation(root: Path, places: Mapping[str, str]) -> str:
    """Return a table of contents for each folder: in the order of the index, then by their names."""
    index = (root / INDEX).read_text(encoding="utf-8")
    mentioned = [os.path.normpath("docs/" + link) for link, _ in _LINK.findall(index)]
    order = {page: number for number, page in reversed(list(enumerate(mentioned)))}
    trees = []
    for section, name in SECTIONS.items():
        inside = [place for place, page in places.items() if _section(place, page) == section]
        inside.sort(key=lambda place: (order.get(places[place], len(order)), place))
        trees.append(_tree(name, inside))
    return "\n".join(tree for tree in trees if tree)


def _section(place: str, page: str) -> str:
    return "project" if page in _OF_THE_PROJECT else place.partition("/")[0]


def _tree(caption: str, places: Iterable[str]) -> str:
    lines = [place.removesuffix(".md") for place in places]
    if not lines:
        return ""
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["```{toctree}", *options, "", *lines, "```", ""])


def _relinked(root: Path, page: str, text: str, target: Path) -> str:
    """Return a page whose links lead to where the site has the others; a file of the source goes with the site."""
    here = PurePosixPath(place_of(page)).parent
    known = set(pages(root))

    def moved(link: str, heading: str) -> str:
        meant = os.path.normpath(str(PurePosixPath(page).parent / link))
        if meant not in known and (root / meant / "README.md").is_file():
            meant += "/README.md"
        if meant in known:
            place = place_of(meant)
        elif (root / meant).is_file():
            place = f"files/{meant}"
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / meant, target / place)
        else:
            return link + heading
        return os.path.relpath(place, here) + heading

    return "".join(
        part if code else _LINK.sub(lambda found: moved(found[1], found[2] or ""), part) for part, code in _parts(text)
    )


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield a page piece by piece, and whether each is a block of code."""
    for number, part in enumerate(re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)):
        yield part, bool(number % 2)
