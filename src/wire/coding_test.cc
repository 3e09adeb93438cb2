#include "wire/coding.h"

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>
#include <zlib.h>
#include <zstd.h>

namespace sluice::coding {
namespace {

std::string zlib_encode(const std::string& text, int window) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string brotli_encode(const std::string& text) {
  size_t size = BrotliEncoderMaxCompressedSize(text.size());
  std::string out(size, '\0');
  EXPECT_TRUE(BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, text.size(),
                                    reinterpret_cast<const uint8_t*>(text.data()), &size,
                                    reinterpret_cast<uint8_t*>(out.data())));
  out.resize(size);
  return out;
}

std::string zstd_encode(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

struct Coded {
  std::string name;
  std::string bytes;
};

std::vector<Coded> all_codings(const std::string& text) {
  return {{"gzip", zlib_encode(text, MAX_WBITS + 16)},
          {"X-GZIP", zlib_encode(text, MAX_WBITS + 16)},
          {"deflate", zlib_encode(text, MAX_WBITS)},
          {"deflate", zlib_encode(text, -MAX_WBITS)},
          {" br ", brotli_encode(text)},
          {"zstd", zstd_encode(text)}};
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "{\"token\":" + std::to_string(i * 7919) + "},";
  return text;
}

Result<std::string> decode(const std::string& coding, const std::vector<std::string>& pieces,
                           const Limits& limits = {}) {
  Result<std::unique_ptr<Decoder>> decoder = make_decoder(coding, limits);
  if (!decoder) return std::move(decoder.error());
  std::string out;
  for (const std::string& piece : pieces) {
    if (Result<void> fed = (*decoder)->feed(piece, out); !fed) return std::move(fed.error());
  }
  if (Result<void> whole = (*decoder)->finish(); !whole) return std::move(whole.error());
  return out;
}

TEST(Coding, NET_2_EveryCodingDecodesWhole) {
  const std::string text = sample();
  for (const Coded& coded : all_codings(text)) {
    const Result<std::string> out = decode(coded.name, {coded.bytes});
    ASSERT_TRUE(out) << coded.name << ": " << out.error().message();
    EXPECT_EQ(*out, text) << coded.name;
  }
}

TEST(Coding, NET_2_EverySplitDecodesToTheSame) {
  const std::string text = "data: {\"a\":\"b\"}\n\ndata: [DONE]\n\n";
  for (const Coded& coded : all_codings(text)) {
    for (size_t cut = 0; cut <= coded.bytes.size(); ++cut) {
      const Result<std::string> out =
          decode(coded.name, {coded.bytes.substr(0, cut), coded.bytes.substr(cut)});
      ASSERT_TRUE(out) << coded.name << " " << cut << ": " << out.error().message();
      ASSERT_EQ(*out, text) << coded.name << " " << cut;
    }
  }
}

TEST(Coding, NET_2_CutAndGarbledBodiesAreErrorsOfTheUpstream) {
  for (Coded& coded : all_codings(sample())) {
    const Result<std::string> cut =
        decode(coded.name, {coded.bytes.substr(0, coded.bytes.size() / 2)});
    ASSERT_FALSE(cut) << coded.name;
    EXPECT_EQ(cut.error().outcome(), Outcome::UpstreamBadReply);
  }
  EXPECT_FALSE(decode("gzip", {"<html>not gzip at all</html>"}));
  EXPECT_FALSE(decode("zstd", {"<html>not zstd at all</html>"}));
  EXPECT_FALSE(decode("gzip", {zlib_encode("a", MAX_WBITS + 16) + "trailing"}));
}

TEST(Coding, GzipMayHaveSeveralMembers) {
  const std::string two = zlib_encode("one ", MAX_WBITS + 16) + zlib_encode("two", MAX_WBITS + 16);
  const Result<std::string> out = decode("gzip", {two});
  ASSERT_TRUE(out);
  EXPECT_EQ(*out, "one two");
}

TEST(Coding, NET_3_ABombIsTooLargeBeforeItFillsTheMemory) {
  const std::string zeros(64u << 20, '\0');
  for (const Coded& coded : all_codings(zeros)) {
    for (const Limits limits : {Limits{.max_output = 1u << 20, .max_ratio = 100'000'000},
                                Limits{.max_output = 1u << 30, .max_ratio = 300}}) {
      Result<std::unique_ptr<Decoder>> decoder = make_decoder(coded.name, limits);
      ASSERT_TRUE(decoder);
      std::string out;
      const Result<void> fed = (*decoder)->feed(coded.bytes, out);
      ASSERT_FALSE(fed) << coded.name;
      EXPECT_EQ(fed.error().outcome(), Outcome::TooLarge) << coded.name;
      EXPECT_LT(out.size(), 40u << 20) << coded.name;
    }
  }
}

TEST(Coding, IdentityNeedsNoDecoderAndUnknownCodingsAreRefused) {
  for (const char* name : {"", "identity", " Identity "}) {
    Result<std::unique_ptr<Decoder>> decoder = make_decoder(name, {});
    ASSERT_TRUE(decoder);
    EXPECT_EQ(*decoder, nullptr);
  }
  const Result<std::unique_ptr<Decoder>> decoder =
      make_decoder("gzip, br", {.malformed = Outcome::BadRequest});
  ASSERT_FALSE(decoder);
  EXPECT_EQ(decoder.error().outcome(), Outcome::BadRequest);
}

}  // namespace
}  // namespace sluice::coding
