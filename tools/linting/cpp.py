"""Just enough C++: text without comments and literals, the includes, and where functions begin and end."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"//[^\n]*"
    r"|/\*.*?\*/"
    r'|R"(?P<tag>[^\s()\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.S)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)


@dataclass(frozen=True)
class Function:
    name: str
    line: int   # of the first line of its declaration
    lines: int  # to its closing brace


def bare(text):
    """`text` with comments and literals blanked; every line stays on its line."""
    def blank(match):
        found = match.group(0)
        kept = '""' if found[0] in "R\"" else "  "
        return kept + "\n" * found.count("\n")
    return _TOKEN.sub(blank, text)


def includes(text):
    """(line, header, quoted) of every #include."""
    return [(text.count("\n", 0, m.start()) + 1, m.group(1) or m.group(2), m.group(1) is not None)
            for m in _INCLUDE.finditer(text)]


def _blank_preprocessor(text):
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.M)


def _kind(head):
    """What the brace after `head` opens, outside of functions: namespace, type, function or value."""
    head = head.strip()
    if re.search(r'\bnamespace\b', head) or head.endswith('extern ""'):
        return "namespace"
    if head.endswith(("=", "return", ",", "(")) or not head:
        return "value"
    if re.match(r"(?:template\s*<.*>\s*)?(?:class|struct|union|enum)\b", head, re.S) and not re.search(r"\)\s*(?:const)?$", head):
        return "type"
    if "(" in head:
        return "function"
    return "value"


def functions(text):
    """The functions defined at namespace or class level; lambdas and local types belong to the function around them."""
    code = _blank_preprocessor(bare(text))
    found, stack, start = [], [], 0
    inside = None  # (depth, name, first line) of the function we are in
    for match in re.finditer(r"[{};]", code):
        at, char = match.start(), match.group(0)
        if char == "{":
            if inside is None:
                head = code[start:at]
                kind = "value" if stack and stack[-1] == "value" else _kind(head)
                if kind == "function":
                    lead = re.match(r"\s*(?:(?:public|private|protected)\s*:\s*)*", head).end()
                    inside = (len(stack), _name(head), code.count("\n", 0, start + lead) + 1)
                stack.append(kind)
            else:
                stack.append("inner")
        elif char == "}":
            if stack:
                stack.pop()
            if inside is not None and len(stack) == inside[0]:
                # A member initializer like a_{b} ends in a brace too; the body follows it.
                rest = code[at + 1:at + 200].lstrip()
                if not rest.startswith((",", "{")):
                    found.append(Function(inside[1], inside[2], code.count("\n", 0, at) + 2 - inside[2]))
                    inside = None
        if inside is None:
            start = at + 1
    return found


def _name(head):
    test = re.search(r"\b(?:TEST|TEST_F|TEST_P|TYPED_TEST|RC_GTEST_PROP)\s*\(\s*(\w+)\s*,\s*(\w+)", head)
    if test:
        return f"{test.group(1)}.{test.group(2)}"
    name = re.search(r"([~\w:]+|operator\s*\S+)\s*\(", head)
    return name.group(1) if name else "?"
