"""The texts that token counts are tested with: every script, and what splits or merges oddly. The same at every run."""

import json
import random
import zlib

# What people and programs send.
KNOWN = [
    "",
    "Hello, world!",
    "The quick brown fox jumps over the lazy dog. It didn't, we'd said, but they've seen I'm right: you're it's.",
    "IT'S DON'T WE'LL THEY'VE I'M YOU'RE HE'D o'clock 'tis rock'n'roll ''s 's 'S 'ſ x'ſ 'LL 'Ve 'rE",
    "def f(x):\n\treturn [i ** 2 for i in range(x)]\n\n\nclass A:\n    pass\n",
    "if (a->b != nullptr && *c++ == 0x1F) { /* no */ return std::move(v)[i]; }  // ok\r\n\r\n",
    '{"model":"gpt-4o","messages":[{"role":"user","content":"Hi\\n"}],"n":1.5e-7,"ok":null}',
    "<div class='a-b'>&nbsp;</div>\n  <!-- x -->\n",
    "SELECT * FROM t WHERE a >= 10 AND b <> 'c' -- comment",
    "https://example.com/a/b?c=d&e=%20f#g user@example.com /usr/lib/x.so.1 C:\\dir\\file.txt",
    "camelCase PascalCase snake_case SCREAMING_CASE kebab-case HTTPServer iPhone eBay XMLHttpRequest2",
    "1 12 123 1234 12345 1234567890 3.14159 1,000,000 ٠١٢٣٤ ⅷ² ½ १२३४ 一二三",
    "Ünïcödé naïve façade Straße ǅungla ǈ ﬁ ß İstanbul",
    "Привет, как дела? Это простой текст. Съешь ещё этих мягких французских булок",
    "Γειά σου Κόσμε, τι κάνεις σήμερα;",
    "你好，世界！今天天气怎么样？我们去公园散步吧。",
    "こんにちは世界。カタカナとひらがな、漢字も。ｶﾀｶﾅ",
    "안녕하세요 세계, 오늘 날씨가 어때요?",
    "مرحبا بالعالم، كيف حالك اليوم؟ كِتَابٌ",
    "שלום עולם, מה שלומך? שָׁלוֹם",
    "नमस्ते दुनिया, आप कैसे हैं? হ্যালো বিশ্ব வணக்கம் ಹಲೋ హలో ഹലോ ਸਤ ગુજરાતી",
    "สวัสดีชาวโลก วันนี้อากาศเป็นอย่างไร ສະບາຍດີ សួស្តី မင်္ဂလာပါ",
    "გამარჯობა Հայերեն ሰላም ᏣᎳᎩ ᐃᓄᒃᑎᑐᑦ བོད་ཡིག Монгол ᠮᠣᠩᠭᠣᠯ",
    "😀 😃😄 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 ❤️ ✂️ ☎ ™ © 1️⃣",
    "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, α ∧ ¬β = ¬(¬α ∨ β), ∑ᵢ₌₁ⁿ i² → ∞ ≤ ≥ ≠ ±",
    "é e\u0301 \u0301 !\u0301 !!\u0301a \u0301's \u0301ABC \u0301Abc a\u0301B\u0301C Z\u0351\u036b\u0343A\u0349L\u0347G\u0321O",
    "   leading and trailing   ",
    "a  b   c    d\te\t\tf\n\ng\r\nh\r\ri \n j\n k \t\n ",
    "\n\n\n   \n\t\n  x\n",
    "    \n",
    "x \n  \n   ",
    "\u00a0a\u00a0\u00a0b\u2003c\u3000d\u2028e\u2029f\u0085g\u200bh\ufeffi\u180ej",
    "a/b//c///\n//\n/ d/\n\n/e (/\r\n/)",
    "-" * 79 + "\n" + "=" * 40 + "\n" + "*" * 17 + "#" * 9,
    "a" * 300,
    "ab" * 150,
    " " * 200 + "x",
    "\n" * 130,
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 4,
    "aaaaaaaaaaaaaaaaaaaab",
    "ThisIsAVeryLongIdentifierThatNobodyWouldReadButTheCompilerDoesNotMindAtAll",
    "SGVsbG8sIHdvcmxkISBUaGlzIGlzIGJhc2U2NCB0ZXh0IG9mIHNvbWUgbGVuZ3RoLg==",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "<|endoftext|> <|im_start|>user<|im_sep|> <|fim_prefix|>",
    "\x00\x01\x02\x1b[31mred\x1b[0m\x7f",
    "\ufffd\ufffe\U0010ffff\ue000\U000f0000",
]

# From where the characters of made-up texts come: (first, last, how often).
RANGES = [
    (0x20, 0x7E, 30),
    (0x61, 0x7A, 30),
    (0x41, 0x5A, 10),
    (0x30, 0x39, 6),
    (0x00, 0xFF, 4),
    (0x100, 0x24F, 5),
    (0x250, 0x36F, 4),
    (0x370, 0x52F, 6),
    (0x530, 0x8FF, 6),
    (0x900, 0xDFF, 6),
    (0xE00, 0x10FF, 5),
    (0x1100, 0x1FFF, 5),
    (0x2000, 0x2BFF, 6),
    (0x2C00, 0x2FFF, 2),
    (0x3000, 0x30FF, 5),
    (0x4E00, 0x9FFF, 6),
    (0xA000, 0xABFF, 4),
    (0xAC00, 0xD7FF, 4),
    (0xF900, 0xFFFF, 4),
    (0x10000, 0x1FFFF, 6),
    (0x20000, 0x323AF, 2),
    (0xE0000, 0x10FFFF, 1),
]
# What decides where a text is split.
TRICKY = [" ", "  ", "\n", "\r\n", "\t", "'", "'s", "'LL", "'re", "’s", "/", ".", "_", "-", "\u0301", "\u00a0", "\u3000",
          "ǅ", "ʰ", "ª", "一", "１", "²", "A", "a", "ſ", "Ab", "AB", "7", "123", "!", "\u200d", "️"]  # fmt: skip
WORDS = " ".join(KNOWN[1:5]).split(" ") + "the of and to in token gateway request ist nicht que les için något".split()


def random_text(rng):
    """A short text: words of one script, of every script, or a run of what is tricky."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(["", " "]).join(rng.choice(TRICKY) for _ in range(rng.randrange(1, 14)))
    if kind == 1:
        return " ".join(rng.choice(WORDS) + rng.choice(["", "", ",", rng.choice(TRICKY)]) for _ in range(rng.randrange(1, 9)))
    ranges = RANGES if kind == 2 else rng.choices(RANGES, [weight for *_, weight in RANGES], k=1)
    pieces = []
    for _ in range(rng.randrange(1, 22)):
        first, last, _ = rng.choices(ranges, [weight for *_, weight in ranges])[0]
        code = rng.randint(first, last)
        pieces.append(rng.choice(TRICKY) if rng.random() < 0.15 else chr(code) if not 0xD800 <= code < 0xE000 else " ")
    return "".join(pieces)


def texts(count=2400, seed=1):
    rng = random.Random(seed)
    return KNOWN + [random_text(rng) for _ in range(count)]


def line(text, encodings):
    """`<tokens> <CRC-32 of their ranks, four bytes each, little-endian>` by each encoding, then the text as JSON."""
    words = []
    for encoding in encodings:
        ranks = encoding.encode_ordinary(text)
        words += [str(len(ranks)), format(zlib.crc32(b"".join(rank.to_bytes(4, "little") for rank in ranks)), "08x")]
    return " ".join([*words, json.dumps(text, ensure_ascii=False)]) + "\n"
