"""Documents that must stay true: the folder table, links, and nothing that only one machine has."""

import os
import re

from .tree import Finding

ARCHITECTURE = "ARCHITECTURE.md"

# Split so that this file does not find itself.
MACHINE_PATHS = re.compile(r"(?<![\w.~-])/(?:work|farm|root|Users)" + r"/|(?<![\w.-])/home/(?!USER|you\b)\w+" + r"/|/tmp/bash" + r"_jobs")
REGISTRY_HOSTS = re.compile(r"\b(?:registry\." + r"npmjs\.org|registry\." + r"yarnpkg\.com|(?:files\.)?python" + r"hosted\.org"
                            r"|pypi\." + r"org|proxy\." + r"golang\.org|sum\." + r"golang\.org|deb\." + r"debian\.org|crates\." + r"io)\b")

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|!\[[^\]\n]*\]\(([^)\s]+)\)")


def check_machine(tree):
    findings = []
    for path in tree.files:
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            for pattern, what in ((MACHINE_PATHS, "a path of one machine"), (REGISTRY_HOSTS, "the host of a package registry")):
                match = pattern.search(line)
                if match:
                    findings.append(Finding(path, number, "machine", f"{what} ('{match.group(0)}'): write it so that it is true everywhere"))
    return findings


def _folders(tree):
    """Every folder below src that holds a file, without the src/."""
    return sorted({os.path.dirname(p).removeprefix("src").strip("/") for p in tree.files if p.startswith("src/")} - {""})


def _table_folders(text):
    """(line, folder) of the rows of the folder table: | `src/x/` | …"""
    return [(number, match.group(1).strip("/")) for number, line in enumerate(text.splitlines(), 1)
            for match in re.finditer(r"`src/([\w/]+?)/?`", line) if line.startswith("|")]


def check_folders(tree):
    if not tree.exists(ARCHITECTURE):
        return [Finding(ARCHITECTURE, 1, "folders", "missing; it holds the folder table")]
    rows = _table_folders(tree.text(ARCHITECTURE))
    named = {folder for _, folder in rows}
    present = _folders(tree)
    findings = [Finding(ARCHITECTURE, 1, "folders", f"src/{f} is not in the folder table; say what it is for, and what it is not for")
                for f in present if f not in named]
    findings += [Finding(ARCHITECTURE, line, "folders", f"src/{f} is in the folder table and not in the tree: delete its row")
                 for line, f in rows if not any(p == f or p.startswith(f + "/") for p in present)]
    return findings


def _without_code(text):
    def blank(match):
        return "\n" * match.group(0).count("\n")
    text = re.sub(r"^(```+|~~~+).*?^\1[^\n]*$", blank, text, flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(text):
    """The anchors of a document's headings, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", text, re.M):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).replace(" ", "-")
        number, unique = 1, slug
        while unique in found:
            unique, number = f"{slug}-{number}", number + 1
        found.add(unique)
    return found


def check_links(tree):
    findings = []
    for path in [p for p in tree.files if p.endswith(".md")]:
        text = _without_code(tree.text(path))
        for match in _LINK.finditer(text):
            target = match.group(1) or match.group(2)
            if re.match(r"[a-z]+:", target):
                continue
            line = text.count("\n", 0, match.start()) + 1
            file, _, anchor = target.partition("#")
            where = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            if where.startswith("..") or not tree.exists(where):
                findings.append(Finding(path, line, "links", f"'{target}' leads nowhere"))
            elif anchor and where.endswith(".md") and anchor not in anchors(tree.text(where)):
                findings.append(Finding(path, line, "links", f"'{target}': {where} has no heading with that anchor"))
    return findings


def check(tree):
    return check_machine(tree) + check_folders(tree) + check_links(tree)
