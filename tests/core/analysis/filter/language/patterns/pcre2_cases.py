r"""Regular expressions and subjects with which PCRE2 and rawscope are compared.

`PATTERNS` are words without blanks; `WITH_BLANKS` has the rest. PCRE2 (10.42) refuses some.
"""

from __future__ import annotations

_WORDS = r"""
x{e} x{s<=1} a{,3}b a{2} a{2,} a{2,3}b a{2}{3} a** a++b a?+a a*?b x{1} } ] a{ a{x a{1 a{1,x {2}
a{2}+b a{1,2}?b \ea \e\a \v \V \Z a\Z a\z a$ ^a \Aa \Ga \h \H [\h]x [\v] [^\h\v] \R a\Rb ^\R$
a\Kb \K \N ^\N+$ \N{2} \X ^\X$ \C ^\C$ . ^.$ (?s)^.$ \bb \Bb \b+a ^*b $+ \A?b \Qa[b\E \Qa a\Q\Eb
\E \Qab\E+c [\Qa]\E] [\Q-\E] a\E+b \Q\E+ [[:alpha:]]+5 [[:^alpha:]] [[:upper:]] (?-i)[[:upper:]]
(?-i)[[:lower:]]x [[:punct:]] [[:space:]] [[:word:]]+= [[:blank:]] [[:cntrl:]] [[:xdigit:]]{4}
[[:graph:]] [[:print:]] [[:ascii:]] [^[:ascii:]] [[:<:]]b a[[:>:]] [[:alpha:]-z] [:alpha:]
[[.a.]] [[:foo:]] [[:alpha] [a[:digit:]b] []x] [^]x] [a-c]+ [a-] [-a] [a-\d] [\d-z] [z-a] [a&&b]
[a--b] [+--] [[a] [a~~b] [\]] [\b] [\B] [\R] [\x41-\x43] [\101-\103] [\e] [\ca] [\w]+ [^\w]
[\W_] [\D5] [^\S] [\1] [\8] [^a] [^\x00-\xff] [\s\S] [\d-] [-\d] [a-c-e] (?|(a)|(b))\1 (a)\g{1}
(a)\g1 (a)\g{-1} (a)\1 \1(a) \g{+1}(a) (?<n>a)\k<n> (?'n'a)\k'n' (?P<n>a)(?P=n) (?<n>a)\g{n}
(?<n>a)\k{n} (a)(?1) (a)\g<1> (a)\g'1' (?<n>ab)(?&n) (?<n>ab)(?P>n) a(?R)?b (?:(a)|b)\1 (a)?\1b
\2(a) \g{2} (?<n>a)(?<n>b) (a)(b)\g{-2} (?-1) (?+1)(a) (?0)?a \x{41} \x41 \x \x4 \o{101} \101 \0
\01 \8 \9 \cA \c[ \cz \x{100} \400 \x{ \o{9} \u0041 \L \U \N{U+41} \i \y \_ \- \/ \< \p{Lu}
(?-i)\p{Lu} \pL+5 \P{L} \p{^Lu} [\p{Nd}] \p{Greek} \p{Any} \p{L&} \pX (?i)A (?-i)A a(?-i)B
a(?-i)b a(?-i:B)c (?:a(?-i)B|C) (?-i)a(?i)B (?^)A (?^i)A (?s)a.b a.b (?m)^b (?m)a$ (?m)^$
(?-m)^b (?sm)^b. (?U)a+b (?U)a+?b (?n)(a)(b) (?J)a (?i (?z)a (?:a (?i:a)B (?mi-x)a (?>a+)b
(?>a|ab)c (?=a) (?!a) (?<=a)b (?<!a)b (?<=a|bc)d (?<=a+)b (?<=a{2})b (?#comment)b (?C)a (?C1)ab
(?(?=a)ab|b) (a)?(?(1)b|c) (?<n>a)?(?(<n>)b|c) (?<n>a)?(?(n)b|c) (?(DEFINE)(?<q>ab))(?&q)
(?(R)a|b) (?(1)a|b) (a)(?(1)a|b|c) (?(-1)a) (?(?!a)b|ab) (*FAIL) a(*F)|b (*ACCEPT)b (*COMMIT)a
a(*PRUNE)b a(*SKIP)b a(*THEN)b (*UTF)a (*UCP)a (*CRLF)a (*ANYCRLF)a (*NO_JIT)a (*pla:a)
(*atomic:a+)b (*foo) (*positive_lookahead:a)a (*nla:a)b (*plb:a)b (*sr:a) () (|) (a|)b * +a ? (*
(?) (?:) ((a)) (?:a)(?:b) (?<a (?<1a>b) (?P<a (?P>a) \k \g \k< \g{ a{65536} a{2,1} a{0}b ( ) [
[a [] [^ \ a) \d+\.\d+ \w+=\w+ \s \S \D \W get ^GET HTTP/1\.[01] user=\S+ a.*b (a|b)*c
[^\r\n]+\r\n \r?\n \x0d\x0a %[0-9a-f]{2} \x00 \xff \xFF\x00 (?-i)\xe9 \xc9 (?=a)* (?!a)+ (?<=a)?
(?=a){2}b (?i)* \K* \E* (?#x)+ (?>a)* (?|a|b)+ (?R)* \b? (a)\1* (?1)+(a)
"""
WITH_BLANKS = [
    b"(?x)a b # c",
    b"(?x) [a b] c",
    b"(?xx)[a b]c",
    b"(?x-i)a B",
    b"a|*",
    b"a||b",
    b"(?:a|b(?-i)c|D)e",
    b"a|b|",
    b"|",
    b"x{ 1 }",
    b"(?x)a + b",
    b"(?x)a(?# c )+",
    b"[a||b]",
    b"(a(?-i)b|c)",
    b"(?-i)A|(?i)b|c",
    b"\\Qa b\\E c",
    b" ",
    b"a b",
]
PATTERNS = [*map(str.encode, _WORDS.split()), *WITH_BLANKS]

SUBJECTS = [
    b"a",
    b"A",
    b"b",
    b"ab",
    b"aB",
    b"aab",
    b"aaa",
    b"aaab",
    b"abc",
    b"ABC",
    b"x{e}",
    b"xe",
    b"x",
    b"a\n",
    b"a\nb",
    b"a\r\nb",
    b"\n",
    b"\r\n",
    b"\r",
    b"\x0b",
    b"\x85",
    b"\xa0x",
    b" x",
    b"\tx",
    b"\x1b",
    b"\x1ba",
    b"\x07",
    b"\x00",
    b"\x01",
    b"\xff\x00",
    b"\xe9",
    b"\xc9",
    b"\xc3\x80",
    b"]",
    b"[",
    b"a[b",
    b"}",
    b"a{",
    b"a{1",
    b"a{,3}b",
    b"-",
    b"+,-",
    b"&",
    b"|",
    b"~",
    b"^",
    b"5",
    b"ab5",
    b"v1.5",
    b"a=b",
    b"GET / HTTP/1.1\r\nUser=me\r\n",
    b"get",
    b"C",
    b"ac",
    b"bc",
    b"bcd",
    b"ad",
    b"aa",
    b"bb",
    b"aabb",
    b"abab",
    b"8",
    b"9",
    b"_",
    b"/",
    b"<",
    b"\\",
    b"a b",
    b"ab c",
    b"\na",
    b"b\n",
    b"\n\n",
    b"a\n\n",
    b"%2f",
    b"1",
    b"D5",
    b"a-",
    b"AC",
    b"aaaaaa",
    b":",
    b"l",
    b"x{ 1 }",
    b"e",
    b"De",
    b"Ce",
    b"bce",
    b"\x08",
    b"ae",
    b"\x1e",
    b"\x3b",
    b"bB",
    b"c",
    b"d",
]

REFUSED_HERE = {
    b"a(?R)?b": "recursion", b"(?+1)(a)": "recursion", b"(?0)?a": "recursion",
    b"(?R)*": "recursion", b"(?1)+(a)": "recursion", rb"\p{Greek}": "a script",
    b"(?J)a": "duplicate names", b"(?(R)a|b)": "recursion",
    b"(*ACCEPT)b": "a verb", b"(*COMMIT)a": "a verb", b"a(*PRUNE)b": "a verb",
    b"a(*SKIP)b": "a verb", b"a(*THEN)b": "a verb", b"(*UCP)a": "a verb", b"(*CRLF)a": "a verb",
    b"(*ANYCRLF)a": "a verb", b"(*NO_JIT)a": "a verb", b"(*sr:a)": "script runs",
}  # fmt: skip
"""Patterns that PCRE2 takes and rawscope refuses, and why."""

ONLY_HERE = {b"(?<=a+)b"}
"""Patterns that rawscope takes and PCRE2 refuses: a look-behind of any length."""
