"""Regular expressions: PCRE2's syntax, translated to that of the package regex."""
