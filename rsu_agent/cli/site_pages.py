"""The documentation's site: its pages gathered from where they lie (`python -m rsu_agent.cli.site_pages`)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
LOADED = re.compile(
    r'<(?:script|img|iframe|source|link rel="?stylesheet"?)\b[^>]*?\b(?:src|href)="?([^"\s>]+)'
)
COMMENT = re.compile(r"\A<!--.*?-->\s*", re.DOTALL)
ELSEWHERE = ("http://", "https://", "mailto:")
ALONE = {  # pages outside docs -> their place on the site
    "README.md": "index.md",
    "README.zh-CN.md": "index.zh.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "deploy/README.md": "deploy/install.md",
    "models/README.md": "models/index.md",
}

SECTIONS = (  # title -> its pages, in this order; the rest of a folder by name
    ("Field guide", ("guide/field.md",)),
    (
        "Guides",
        (
            "guide/configuration.md",
            "guide/calibration.md",
            "guide/*",
            "detectors.md",
            "deploy/install.md",
            "deploy.md",
        ),
    ),
    ("Alerts", ("runbooks/*",)),
    ("Reference", ("reference/cli.md", "reference/settings.md", "reference/*")),
    ("Protocol", ("protocol/README.md", "protocol/*")),
    ("Drivers", ("drivers/index.md", "drivers/*")),
    ("Models", ("models/index.md", "models/*")),
    ("Decisions", ("decisions/index.md", "decisions/*")),
    ("About", ("changelog.md", "contributing.md", "security.md")),
)
MADE = ("pictures", "site")  # folders of what pages show: no page of their own


def tracked(root: Path) -> list[str]:
    """Every file that belongs to the repository, new ones among them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
    return sorted({name for name in told.split("\0") if name and (root / name).is_file()})


def places(names: list[str]) -> dict[str, str]:
    """File of the repository -> its place on the site."""
    found = {name: ALONE[name] for name in names if name in ALONE}
    for name in names:
        path = PurePosixPath(name)
        match path.parts:
            case ("docs", *rest):
                found[name] = "/".join(rest).replace(".en.md", ".md")
            case ("drivers", driver, "README.md"):
                found[name] = f"drivers/{driver}.md"
            case ("models", model, "CARD.md"):
                found[name] = f"models/{model}.md"
    return found


def prose(text: str) -> str:
    """A page with its code blanked out: what stands there is neither link nor heading."""
    kept, fence = [], ""
    for line in text.split("\n"):
        mark = FENCE.match(line)
        if fence:
            fence = "" if line.startswith(fence) else fence
            kept.append(" " * len(line))
        elif mark:
            fence = mark[1]
            kept.append(" " * len(line))
        else:
            kept.append(CODE.sub(lambda found: "x" * len(found[0]), line))
    return "\n".join(kept)


def anchors(text: str) -> set[str]:
    """The places in a page that a link may lead to, spelled as GitHub and the site do."""
    found: set[str] = set()
    in_prose = prose(text)
    for heading in HEADING.finditer(in_prose):
        words = text[heading.start(1) : heading.end(1)]
        words = LINK.sub(lambda link: link[2], words).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", words.lower()).strip().replace(" ", "-")
        number = next(n for n in range(1000) if (f"{slug}_{n}" if n else slug) not in found)
        found.add(f"{slug}_{number}" if number else slug)
    return found


def links(text: str) -> Iterator[re.Match[str]]:
    """Every link and picture of a page; group 3 is where it leads."""
    in_prose = prose(text)
    for found in LINK.finditer(text):
        if in_prose[found.start()] in "![" and in_prose[found.start(3) - 1] == "(":
            yield found


def target(name: str, link: str) -> tuple[str, str]:
    """(file or folder of the repository, anchor) that a link in this file leads to."""
    path, _, anchor = link.partition("#")
    if not path:
        return name, anchor
    return os.path.normpath(PurePosixPath(name).parent / path), anchor


def broken(root: Path, names: list[str]) -> list[str]:
    """Links of the pages that lead nowhere, as `file: link: reason`."""
    wrong = []
    held = set(names) | {str(parent) for name in names for parent in PurePosixPath(name).parents}
    pages = {name: (root / name).read_text() for name in names if name.endswith(".md")}
    known = {name: anchors(text) for name, text in pages.items()}
    for name in sorted(pages.keys() & places(names).keys()):
        for found in links(pages[name]):
            if found[3].startswith(ELSEWHERE):
                continue
            path, anchor = target(name, found[3])
            if path not in held:
                wrong.append(f"{name}: {found[3]}: no such file")
            elif anchor and path in known and anchor not in known[path]:
                wrong.append(f"{name}: {found[3]}: no such heading")
    return wrong


def page(name: str, text: str, put: dict[str, str]) -> str:
    """A page with its links as they are on the site; what is not on it becomes plain words."""
    text = COMMENT.sub("", text)  # a page's title is its first line
    here = PurePosixPath(put[name]).parent
    made, last = [], 0
    for found in links(text):
        made.append(text[last : found.start()])
        last = found.end()
        path, anchor = target(name, found[3])
        place = put.get(path) or put.get(f"{path}/README.md")
        if place is None and any(each.startswith(f"{path}/") for each in put):
            place = f"{path.removeprefix('docs/')}/index.md"
        if found[3].startswith(ELSEWHERE) or (place is not None and not found[3].partition("#")[0]):
            made.append(found[0])
        elif place is None:
            made.append(found[2] if found[2].startswith("`") else f"{found[2]} (`{path}`)")
        else:
            way = os.path.relpath(place, here) + (f"#{anchor}" if anchor else "")
            made.append(f"{found[1]}[{found[2]}]({way})")
    return "".join(made) + text[last:]


def gather(root: Path, out: Path) -> int:
    """Write every page and picture below `out`; gives how many."""
    names = tracked(root)
    put = places(names)
    shutil.rmtree(out, ignore_errors=True)
    for name, place in put.items():
        to = out / place
        to.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".md"):
            to.write_text(page(name, (root / name).read_text(), put))
        else:
            shutil.copyfile(root / name, to)
    for folder in sorted({path.parent for path in out.rglob("*") if path.is_file()} - {out}):
        shown = folder.relative_to(out).parts[0] in MADE or any(
            (folder / each).exists() for each in ("index.md", "README.md")
        )
        if not shown and folder.name not in ("guide", "reference", "deploy"):
            (folder / "index.md").write_text(contents(folder))
    return len(put)


def contents(folder: Path) -> str:
    """A page that lists the files of a folder that has none of its own."""
    lines = [f"# {folder.name.capitalize()}", ""]
    for path in sorted(each for each in folder.iterdir() if each.is_file()):
        title = HEADING.search(path.read_text()) if path.suffix == ".md" else None
        lines.append(f"- [{title[1] if title else path.name}]({path.name})")
    return "\n".join(lines) + "\n"


def navigation(out: Path) -> list[str | dict[str, list[str]]]:
    """Every page once, by sections. Raises ValueError where one is in none."""
    left = {str(path.relative_to(out)) for path in out.rglob("*.md") if ".zh." not in path.name} - {
        "index.md"
    }
    left -= {name for name in left if name.startswith(("protocol/schemas/", "protocol/vectors/"))}
    made: list[str | dict[str, list[str]]] = ["index.md"]
    for title, patterns in SECTIONS:
        mine: list[str] = []
        for pattern in patterns:
            found = sorted(name for name in left if PurePosixPath(name).match(pattern) or name == pattern)
            found = [name for name in found if name.count("/") <= pattern.count("/")]
            mine += found
            left -= set(found)
        made += [{title: mine}] if mine else []
    if left:
        raise ValueError(f"pages in no section: {', '.join(sorted(left))}")
    return made


def foreign(built: Path) -> set[str]:
    """What a built site's pages would load from outside. (Links that a reader follows are his own affair.)"""
    return {
        found[1]
        for path in built.rglob("*.html")
        for found in LOADED.finditer(path.read_text())
        if found[1].startswith((*ELSEWHERE, "//"))
    }


def main() -> int:
    """Gather, or say which links lead nowhere; with --built look at what was built of them."""
    built = "--built" in sys.argv
    wrong = sorted(foreign(ROOT / "build" / "docs")) if built else broken(ROOT, tracked(ROOT))
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        return 1
    if built:
        print("build/docs/index.html")
        return 0
    out = ROOT / "build" / "docs-src"
    print(f"{gather(ROOT, out)} files gathered")
    told = {"INHERIT": "../mkdocs.yml", "docs_dir": "docs-src", "site_dir": "docs", "nav": navigation(out)}
    (ROOT / "build" / "mkdocs.yml").write_text(json.dumps(told, ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
