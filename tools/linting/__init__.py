"""The rules that tools/lint checks. One module per subject; each has check(tree) -> list[Finding]."""
