#include "providers/lab_coding.h"

#include <array>
#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

namespace sluice::providers {
namespace {

constexpr size_t kPiece = 16 * 1024;

class Zlib final : public LabCoder {
 public:
  explicit Zlib(bool gzip) {
    constexpr int kGzipHeader = 16;
    deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + (gzip ? kGzipHeader : 0),
                 MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
  }
  ~Zlib() override { deflateEnd(&stream_); }
  Zlib(const Zlib&) = delete;
  Zlib& operator=(const Zlib&) = delete;

  std::string encode(std::string_view data, bool last) override {
    std::string out;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream_.avail_in = static_cast<uInt>(data.size());
    do {
      std::array<char, kPiece> piece;
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = kPiece;
      deflate(&stream_, last ? Z_FINISH : Z_SYNC_FLUSH);
      out.append(piece.data(), kPiece - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return out;
  }

 private:
  z_stream stream_{};
};

class Brotli final : public LabCoder {
 public:
  Brotli() : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, 4);
  }
  ~Brotli() override { BrotliEncoderDestroyInstance(state_); }
  Brotli(const Brotli&) = delete;
  Brotli& operator=(const Brotli&) = delete;

  std::string encode(std::string_view data, bool last) override {
    std::string out;
    size_t left = data.size();
    const auto* in = reinterpret_cast<const uint8_t*>(data.data());
    const auto operation = last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH;
    do {
      std::array<uint8_t, kPiece> piece;
      size_t room = kPiece;
      uint8_t* to = piece.data();
      BrotliEncoderCompressStream(state_, operation, &left, &in, &room, &to, nullptr);
      out.append(reinterpret_cast<const char*>(piece.data()), kPiece - room);
    } while (left > 0 || BrotliEncoderHasMoreOutput(state_) == BROTLI_TRUE);
    return out;
  }

 private:
  BrotliEncoderState* state_;
};

class Zstd final : public LabCoder {
 public:
  Zstd() : context_(ZSTD_createCCtx()) {}
  ~Zstd() override { ZSTD_freeCCtx(context_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;

  std::string encode(std::string_view data, bool last) override {
    std::string out;
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    size_t left = 0;
    do {
      std::array<char, kPiece> piece;
      ZSTD_outBuffer to{piece.data(), kPiece, 0};
      left = ZSTD_compressStream2(context_, &to, &in, last ? ZSTD_e_end : ZSTD_e_flush);
      out.append(piece.data(), to.pos);
    } while (left > 0 && ZSTD_isError(left) == 0);
    return out;
  }

 private:
  ZSTD_CCtx* context_;
};

}  // namespace

std::unique_ptr<LabCoder> make_lab_coder(LabPlan::Coding coding) {
  switch (coding) {
    case LabPlan::Coding::Identity:
      return nullptr;
    case LabPlan::Coding::Gzip:
      return std::make_unique<Zlib>(true);
    case LabPlan::Coding::Deflate:
      return std::make_unique<Zlib>(false);
    case LabPlan::Coding::Brotli:
      return std::make_unique<Brotli>();
    case LabPlan::Coding::Zstd:
      return std::make_unique<Zstd>();
  }
  return nullptr;
}

std::string_view lab_coding_name(LabPlan::Coding coding) {
  switch (coding) {
    case LabPlan::Coding::Identity:
      return "";
    case LabPlan::Coding::Gzip:
      return "gzip";
    case LabPlan::Coding::Deflate:
      return "deflate";
    case LabPlan::Coding::Brotli:
      return "br";
    case LabPlan::Coding::Zstd:
      return "zstd";
  }
  return "";
}

}  // namespace sluice::providers
