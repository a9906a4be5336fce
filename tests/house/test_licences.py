"""Every distribution of the lock may be used: permissive, MPL, EPL/EDL; LGPL only where NOTICE lists it."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software|MPL|Mozilla|EPL|EDL|Eclipse|Unlicense|Zlib|HPND|Public Domain",
    re.IGNORECASE,
)
REFUSED = re.compile(r"\bA?GPL|GNU (Affero )?General Public", re.IGNORECASE)
LESSER = re.compile(r"LGPL|Lesser General Public", re.IGNORECASE)


def locked() -> list[str]:
    text = (ROOT / "requirements/dev.txt").read_text()
    return re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)


def licence(dist: Distribution) -> str:
    meta = dist.metadata
    classifiers = [c for c in meta.get_all("Classifier") or [] if c.startswith("License ::")]
    texts = [chosen(meta.get("License-Expression") or ""), *classifiers]
    if not "".join(texts).strip():
        texts.append((meta.get("License") or "")[:200])
    return " ".join(texts)


def chosen(expression: str) -> str:
    """Of licences offered by "OR" those that may be used; the expression itself when none may."""
    offered = [part.strip("() ") for part in expression.split(" OR ")]
    return " OR ".join(part for part in offered if not REFUSED.search(part)) or expression


def test_of_two_licences_offered_the_one_that_may_be_used_is_chosen_and_both_of_an_and_hold() -> None:
    assert chosen("EPL-2.0 OR GPL-2.0-or-later") == "EPL-2.0"
    assert chosen("GPL-3.0-only OR AGPL-3.0-only") == "GPL-3.0-only OR AGPL-3.0-only"
    assert REFUSED.search(chosen("MIT AND GPL-3.0-only"))


@pytest.mark.parametrize("name", locked())
def test_the_licence_of_every_locked_distribution_is_allowed(name: str) -> None:
    try:
        found = licence(distribution(name))
    except PackageNotFoundError:
        pytest.fail(f"{name} is locked but not installed: run make setup")
    notice = (ROOT / "NOTICE").read_text()
    if LESSER.search(found):
        assert name in notice, f"{name} is LGPL and must be listed in NOTICE"
        return
    assert not REFUSED.search(LESSER.sub("", found)), f"{name}: {found}"
    assert ALLOWED.search(found) or name in notice, f"{name}: licence {found!r} is not known to be allowed"
