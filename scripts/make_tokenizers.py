#!/usr/bin/env python3
"""Makes what the token counter is built from, and the answers it is tested against:

  src/wire/data/<encoding>.merges.zst   the ranks, packed (read by src/wire/vocabulary.cc)
  src/wire/unicode_classes.inc          what the splitters know of each character
  tests/golden/tokens/texts.txt         texts with the reference's tokens of them

    pip install tiktoken==0.14.0 zstandard && cargo fetch    (of a package that needs tiktoken-rs =0.12.1)
    python3 scripts/make_tokenizers.py .../tiktoken-rs-0.12.1/assets

The crate holds the rank files as OpenAI publishes them: their SHA-256 is checked against those that OpenAI's own
tiktoken wants. Characters are classed by asking tiktoken's regular expressions, so that Unicode is of one version.
"""

import argparse
import base64
import hashlib
import inspect
import os
import re
import sys
import tempfile
from pathlib import Path

import golden_texts
import tiktoken
import tiktoken_ext.openai_public
import zstandard

ROOT = Path(__file__).resolve().parent.parent
ENCODINGS = ("o200k_base", "cl100k_base")
# As src/wire/characters.h has them. \s is taken out of Other; \r and \n out of Space.
CLASSES = (
    ("Upper", r"[\p{Lu}\p{Lt}]"),
    ("Lower", r"\p{Ll}"),
    ("Letter", r"[\p{Lm}\p{Lo}]"),
    ("Mark", r"\p{M}"),
    ("Number", r"\p{N}"),
    ("Space", r"[\s--[\r\n]]"),
    ("NewLine", r"[\r\n]"),
)
BLOCK = 128


def published(encoding):
    """(address, SHA-256) of the rank file, as tiktoken says."""
    source = inspect.getsource(getattr(tiktoken_ext.openai_public, encoding))
    address, digest = re.search(r'"(https://[^"]+)",\s*expected_hash="(\w+)"', source).groups()
    return address, digest


def provide_ranks(assets, cache):
    """Puts the rank files where tiktoken looks for what it has fetched before."""
    for encoding in ENCODINGS:
        address, digest = published(encoding)
        content = (assets / f"{encoding}.tiktoken").read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            sys.exit(f"{encoding}.tiktoken is not the file that OpenAI publishes")
        (Path(cache) / hashlib.sha1(address.encode()).hexdigest()).write_bytes(content)
    os.environ["TIKTOKEN_CACHE_DIR"] = str(cache)


def last_merge(token, rank_of):
    """The ranks of the two tokens that become `token` in the last step of its own merging."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        ranks = [rank_of.get(a + b, len(rank_of)) for a, b in zip(parts, parts[1:])]
        at = ranks.index(min(ranks))
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return rank_of[parts[0]], rank_of[parts[1]]


def pack(assets, encoding):
    """The 256 single bytes in the order of rank, then six planes: low, middle and high byte of each left, and of each
    right, half."""
    lines = (assets / f"{encoding}.tiktoken").read_bytes().splitlines()
    tokens = [base64.b64decode(line.split()[0]) for line in lines]
    assert [int(line.split()[1]) for line in lines] == list(range(len(tokens))), "ranks have gaps"
    assert all(len(token) == 1 for token in tokens[:256]), "single bytes come first"
    rank_of = {token: rank for rank, token in enumerate(tokens)}
    halves = [last_merge(token, rank_of) for token in tokens[256:]]
    # The counter relies on both: each token has one last step, made of tokens that came before it.
    assert all(tokens[a] + tokens[b] == token for (a, b), token in zip(halves, tokens[256:]))
    assert all(max(pair) < rank for rank, pair in enumerate(halves, 256))
    planes = [bytes(pair[side] >> shift & 255 for pair in halves) for side in (0, 1) for shift in (0, 8, 16)]
    raw = b"".join(tokens[:256]) + b"".join(planes)
    return zstandard.ZstdCompressor(level=22).compress(raw)


def characters_of(pattern):
    """Every character that tiktoken's regular expressions find in that class."""
    every = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    ranks = {bytes([byte]): byte for byte in range(256)}
    probe = tiktoken.Encoding("probe", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return bytes(probe.encode_ordinary(every)).decode()


def classes_text():
    kinds = bytearray(0x110000)
    for kind, (_, pattern) in enumerate(CLASSES, 1):
        for character in characters_of(pattern):
            assert kinds[ord(character)] == 0, "classes overlap"
            kinds[ord(character)] = kind
    blocks, index = {}, []
    for at in range(0, len(kinds), BLOCK):
        index.append(blocks.setdefault(bytes(kinds[at : at + BLOCK]), len(blocks)))
    assert len(blocks) < 256
    while index[-1] == index[-2]:
        index.pop()
    rows = ["// Made by scripts/make_tokenizers.py from the classes that tiktoken 0.14.0 knows.", "// clang-format off"]
    rows += [f"constexpr std::array<uint8_t, {len(index)}> kBlockOf = {{"]
    rows += [",".join(map(str, index[at : at + 40])) + "," for at in range(0, len(index), 40)]
    # Digits in quotes, because a number each would be five times as long.
    rows += ["};", f"constexpr char kBlocks[{len(blocks)}][{BLOCK + 1}] = {{"]
    rows += ['"' + "".join(map(str, block)) + '",' for block in blocks]
    return "\n".join([*rows, "};", "// clang-format on", ""])


def golden_text():
    encodings = [tiktoken.get_encoding(name) for name in ENCODINGS]
    return "".join(golden_texts.line(text, encodings) for text in golden_texts.texts())


def write(name, content):
    path = ROOT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    print(f"{name}: {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path, help="the folder with the .tiktoken files")
    assets = parser.parse_args().assets
    with tempfile.TemporaryDirectory() as cache:
        provide_ranks(assets, cache)
        for encoding in ENCODINGS:
            write(f"src/wire/data/{encoding}.merges.zst", pack(assets, encoding))
        write("src/wire/unicode_classes.inc", classes_text())
        write("tests/golden/tokens/texts.txt", golden_text())


if __name__ == "__main__":
    main()
