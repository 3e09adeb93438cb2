#include "wire/coding.h"

#include <algorithm>
#include <brotli/decode.h>
#include <fmt/format.h>
#include <limits>
#include <zlib.h>
#include <zstd.h>

namespace sluice::coding {
namespace {

constexpr size_t kChunk = 16u << 10;
constexpr size_t kRatioFrom = 1u << 20;
constexpr int kGzip = MAX_WBITS + 16;
constexpr int kZlib = MAX_WBITS;
constexpr int kRaw = -MAX_WBITS;
// 8 MiB, the most a browser must accept (RFC 9659).
constexpr int kMaxZstdWindowLog = 23;

// gzip, and deflate in its two readings: RFC 9110 means zlib, some servers send it raw.
class ZlibDecoder final : public Decoder {
 public:
  ZlibDecoder(const Limits& limits, bool gzip) : Decoder(limits), gzip_(gzip) {}
  ~ZlibDecoder() override {
    if (ready_) inflateEnd(&stream_);
  }

 protected:
  Step decode(std::string_view* in, char* to, size_t room, size_t* made) override {
    if (!ready_ && !start(in->front())) return Step::Broken;
    const size_t offered = std::min<size_t>(in->size(), std::numeric_limits<uInt>::max());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in->data()));
    stream_.avail_in = static_cast<uInt>(offered);
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    in->remove_prefix(offered - stream_.avail_in);
    *made = room - stream_.avail_out;
    if (result == Z_STREAM_END) return Step::Ends;
    return result == Z_OK || result == Z_BUF_ERROR ? Step::Goes : Step::Broken;
  }
  bool restart() override { return gzip_ && inflateReset(&stream_) == Z_OK; }

 private:
  // The low half of a zlib header's first byte is 8; a raw deflate block that begins so has a
  // reserved type or is stored with a nonzero padding, which no encoder writes.
  bool start(char first) {
    const bool zlib = (static_cast<unsigned char>(first) & 0x0f) == Z_DEFLATED;
    ready_ = inflateInit2(&stream_, gzip_ ? kGzip : zlib ? kZlib : kRaw) == Z_OK;
    return ready_;
  }

  z_stream stream_{};
  bool gzip_;
  bool ready_ = false;
};

class BrotliDecoder final : public Decoder {
 public:
  explicit BrotliDecoder(const Limits& limits)
      : Decoder(limits), state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {}
  ~BrotliDecoder() override { BrotliDecoderDestroyInstance(state_); }

 protected:
  Step decode(std::string_view* in, char* to, size_t room, size_t* made) override {
    if (state_ == nullptr) return Step::Broken;
    size_t in_left = in->size();
    size_t out_left = room;
    const uint8_t* next_in = reinterpret_cast<const uint8_t*>(in->data());
    uint8_t* next_out = reinterpret_cast<uint8_t*>(to);
    const BrotliDecoderResult result =
        BrotliDecoderDecompressStream(state_, &in_left, &next_in, &out_left, &next_out, nullptr);
    in->remove_prefix(in->size() - in_left);
    *made = room - out_left;
    if (result == BROTLI_DECODER_RESULT_SUCCESS) return Step::Ends;
    return result == BROTLI_DECODER_RESULT_ERROR ? Step::Broken : Step::Goes;
  }
  bool restart() override { return false; }

 private:
  BrotliDecoderState* state_;
};

class ZstdDecoder final : public Decoder {
 public:
  explicit ZstdDecoder(const Limits& limits) : Decoder(limits), context_(ZSTD_createDCtx()) {
    if (context_ != nullptr) {
      ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kMaxZstdWindowLog);
    }
  }
  ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }

 protected:
  Step decode(std::string_view* in, char* to, size_t room, size_t* made) override {
    if (context_ == nullptr) return Step::Broken;
    ZSTD_inBuffer source{in->data(), in->size(), 0};
    ZSTD_outBuffer target{to, room, 0};
    const size_t left = ZSTD_decompressStream(context_, &target, &source);
    in->remove_prefix(source.pos);
    *made = target.pos;
    if (ZSTD_isError(left)) return Step::Broken;
    return left == 0 ? Step::Ends : Step::Goes;
  }
  bool restart() override {
    return !ZSTD_isError(ZSTD_DCtx_reset(context_, ZSTD_reset_session_only));
  }

 private:
  ZSTD_DCtx* context_;
};

std::string lower_trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  text = text.substr(first, text.find_last_not_of(" \t") - first + 1);
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

Error Decoder::malformed(std::string_view why) const {
  return Error(limits_.malformed, std::string(why));
}

Result<void> Decoder::check(size_t total) const {
  if (total > limits_.max_output) {
    return Error(Outcome::TooLarge,
                 fmt::format("the decompressed body is over {} bytes", limits_.max_output));
  }
  if (total > kRatioFrom && total / std::max<size_t>(in_, 1) > limits_.max_ratio) {
    return Error(Outcome::TooLarge,
                 fmt::format("the body decompresses to over {} times its size", limits_.max_ratio));
  }
  return {};
}

Result<void> Decoder::feed(std::string_view bytes, std::string& out) {
  in_ += bytes.size();
  bool full = true;
  // A full chunk may leave more inside the decoder than the input shows.
  while (!bytes.empty() || full) {
    if (ended_) {
      if (bytes.empty()) return {};
      if (!restart()) return malformed("bytes follow the end of the compressed body");
      ended_ = false;
    }
    if (bytes.empty() && out_ == 0 && in_ == 0) return {};
    const size_t before = out.size();
    out.resize(before + kChunk);
    size_t made = 0;
    const size_t offered = bytes.size();
    const Step step = decode(&bytes, out.data() + before, kChunk, &made);
    out.resize(before + made);
    out_ += made;
    if (step == Step::Broken) return malformed("the compressed body is broken");
    ended_ = step == Step::Ends;
    full = made == kChunk;
    if (Result<void> fits = check(out_); !fits) return fits;
    if (!ended_ && made == 0 && bytes.size() == offered) break;
  }
  return {};
}

Result<void> Decoder::finish() const {
  if (ended_ || in_ == 0) return {};
  return malformed("the compressed body is cut short");
}

Result<std::unique_ptr<Decoder>> make_decoder(std::string_view content_encoding,
                                              const Limits& limits) {
  const std::string coding = lower_trimmed(content_encoding);
  std::unique_ptr<Decoder> decoder;
  if (coding.empty() || coding == "identity") return std::move(decoder);
  if (coding == "gzip" || coding == "x-gzip" || coding == "deflate") {
    decoder = std::make_unique<ZlibDecoder>(limits, coding != "deflate");
  } else if (coding == "br") {
    decoder = std::make_unique<BrotliDecoder>(limits);
  } else if (coding == "zstd") {
    decoder = std::make_unique<ZstdDecoder>(limits);
  } else {
    return Error(limits.malformed,
                 fmt::format("the content coding \"{}\" is not supported", coding.substr(0, 40)));
  }
  return std::move(decoder);
}

}  // namespace sluice::coding
