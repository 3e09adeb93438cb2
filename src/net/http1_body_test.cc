#include <gtest/gtest.h>
#include <string>

#include "net/http1.h"

namespace sluice::net {
namespace {

using Status = ChunkedDecoder::Status;

struct Decoded {
  Status status = Status::NeedMore;
  std::string data;
  std::string rest;
};

// Feeds `bytes` in two pieces.
Decoded decode(std::string_view bytes, size_t cut) {
  ChunkedDecoder decoder;
  Decoded out;
  std::string_view input = bytes.substr(0, cut);
  bool second = false;
  for (;;) {
    std::string_view data;
    out.status = decoder.next(input, data);
    if (out.status == Status::Data) {
      EXPECT_FALSE(data.empty());
      out.data += data;
    } else if (out.status == Status::NeedMore && !second) {
      EXPECT_TRUE(input.empty());
      input = bytes.substr(cut);
      second = true;
    } else {
      out.rest = std::string(input) + (second ? "" : std::string(bytes.substr(cut)));
      return out;
    }
  }
}

bool is_bad(std::string_view bytes) {
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const Status status = decode(bytes, cut).status;
    EXPECT_EQ(status == Status::Bad, decode(bytes, bytes.size()).status == Status::Bad) << cut;
  }
  return decode(bytes, bytes.size()).status == Status::Bad;
}

TEST(ChunkedDecoder, GivesTheSameAtEverySplit) {
  const std::string bytes =
      "3\r\nabc\r\n0A;name=\"v\"\r\n0123456789\r\n000\r\nX-Trailer: 1\r\nY:\r\n\r\nGET /next";
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const Decoded out = decode(bytes, cut);
    EXPECT_EQ(out.status, Status::End) << cut;
    EXPECT_EQ(out.data, "abc0123456789") << cut;
    EXPECT_EQ(out.rest, "GET /next") << cut;
  }
}

TEST(ChunkedDecoder, NET_7_RefusesWhatIsNoChunk) {
  for (const std::string bad : {"\r\n",
                                ";x\r\n",
                                "g\r\n",
                                "0x3\r\nabc\r\n",
                                "-1\r\n",
                                "+3\r\nabc",
                                " 3\r\nabc\r\n",
                                "3 \r\nabc\r\n",
                                "3\nabc\r\n",
                                "3\r\nabcd\r\n",
                                "3\r\nabc\n",
                                "3\r\nabc\rX",
                                "3\rabc",
                                "3;a\nabc\r\n",
                                "3;\x01\r\n",
                                "00000000000000003\r\nabc\r\n",
                                "fffffffffffffffff\r\n",
                                "0\r\nGET / HTTP/1.1\r\n",
                                "0\r\n\n",
                                "0\r\nnocolon\r\n\r\n",
                                "0\r\n folded: x\r\n\r\n",
                                "0\r\nX: a\nb\r\n",
                                "0\r\nX : a\r\n\r\n",
                                "0\r\n\rX"}) {
    EXPECT_TRUE(is_bad(bad)) << bad;
  }
}

TEST(ChunkedDecoder, C9_ExtensionsAndTrailersAreBounded) {
  const std::string small = ";" + std::string(1000, 'e');
  const std::string large = ";" + std::string(2000, 'e');
  EXPECT_EQ(decode("1" + small + "\r\na\r\n0\r\n\r\n", 3).status, Status::End);
  EXPECT_EQ(decode("1" + large + "\r\na\r\n0\r\n\r\n", 3).status, Status::Bad);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 100; ++i) trailers += "X: y\r\n";
  EXPECT_EQ(decode(trailers + "\r\n", 3).status, Status::End);
  for (int i = 0; i < 10'000; ++i) trailers += "X: y\r\n";
  EXPECT_EQ(decode(trailers + "\r\n", 3).status, Status::Bad);
}

TEST(ChunkedDecoder, TheLargestSizeDoesNotOverflow) {
  EXPECT_EQ(decode("ffffffffffffffff\r\nabc", 5).status, Status::NeedMore);
  EXPECT_EQ(decode("ffffffffffffffff\r\nabc", 5).data, "abc");
}

TEST(ChunkedDecoder, StaysBadOnceBad) {
  ChunkedDecoder decoder;
  std::string_view input = "zz3\r\nabc\r\n0\r\n\r\n";
  std::string_view data;
  EXPECT_EQ(decoder.next(input, data), Status::Bad);
  EXPECT_EQ(decoder.next(input, data), Status::Bad);
}

TEST(BodyDecoder, NoBodyEndsAtOnce) {
  BodyDecoder decoder(Framing::None, 0);
  std::string_view input = "GET /next";
  std::string_view data;
  EXPECT_TRUE(decoder.complete());
  EXPECT_EQ(decoder.next(input, data), Status::End);
  EXPECT_EQ(input, "GET /next");
  EXPECT_TRUE(BodyDecoder(Framing::Length, 0).complete());
}

TEST(BodyDecoder, ALengthEndsAtItsLastByte) {
  BodyDecoder decoder(Framing::Length, 5);
  std::string_view input = "abc";
  std::string_view data;
  EXPECT_EQ(decoder.next(input, data), Status::Data);
  EXPECT_EQ(data, "abc");
  EXPECT_EQ(decoder.next(input, data), Status::NeedMore);
  EXPECT_FALSE(decoder.complete());
  EXPECT_FALSE(decoder.end_of_input());
  input = "deGET";
  EXPECT_EQ(decoder.next(input, data), Status::Data);
  EXPECT_EQ(data, "de");
  EXPECT_EQ(input, "GET");
  EXPECT_TRUE(decoder.complete());
  EXPECT_TRUE(decoder.end_of_input());
  EXPECT_EQ(decoder.next(input, data), Status::End);
}

TEST(BodyDecoder, UntilCloseEndsWithTheConnection) {
  BodyDecoder decoder(Framing::UntilClose, 0);
  std::string_view input = "abc";
  std::string_view data;
  EXPECT_EQ(decoder.next(input, data), Status::Data);
  EXPECT_EQ(data, "abc");
  EXPECT_FALSE(decoder.complete());
  EXPECT_TRUE(decoder.end_of_input());
}

TEST(BodyDecoder, U38_AChunkedBodyWithoutItsLastChunkWasCutShort) {
  BodyDecoder decoder(Framing::Chunked, 0);
  std::string_view input = "3\r\nabc\r\n";
  std::string_view data;
  EXPECT_EQ(decoder.next(input, data), Status::Data);
  EXPECT_EQ(decoder.next(input, data), Status::NeedMore);
  EXPECT_FALSE(decoder.end_of_input());
  input = "0\r\n\r\n";
  EXPECT_EQ(decoder.next(input, data), Status::End);
  EXPECT_TRUE(decoder.complete());
}

}  // namespace
}  // namespace sluice::net
