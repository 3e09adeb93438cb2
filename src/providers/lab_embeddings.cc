#include "providers/lab_embeddings.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

static_assert(std::endian::native == std::endian::little, "base64 embeddings are little-endian");

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) {
      const char byte = at + i < bytes.size() ? bytes[at + i] : '\0';
      group = (group << 8U) | static_cast<unsigned char>(byte);
    }
    const size_t digits = std::min<size_t>(3, bytes.size() - at) + 1;
    for (size_t i = 0; i < 4; ++i) {
      out += i < digits ? kDigits[(group >> (18U - 6U * i)) & 63U] : '=';
    }
  }
}

void append_vector(std::string& out, const std::vector<float>& vector, bool base64) {
  if (base64) {
    std::string bytes(vector.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), vector.data(), bytes.size());
    out += '"';
    append_base64(out, bytes);
    out += '"';
    return;
  }
  out += '[';
  for (size_t i = 0; i < vector.size(); ++i) {
    if (i > 0) out += ',';
    fmt::format_to(std::back_inserter(out), "{}", vector[i]);
  }
  out += ']';
}

}  // namespace

std::vector<float> lab_embedding(uint64_t hash, int64_t dimensions) {
  LabRandom random(hash);
  std::vector<float> vector(static_cast<size_t>(dimensions));
  double square = 0;
  for (float& component : vector) {
    component =
        static_cast<float>(static_cast<int64_t>(random.below(2'000'001)) - 1'000'000) / 1e6F;
    square += static_cast<double>(component) * component;
  }
  const auto length = static_cast<float>(std::sqrt(square));
  for (float& component : vector) component /= length > 0 ? length : 1;
  return vector;
}

std::string lab_embeddings_body(const LabRequest& request, const LabModel& model, uint64_t seed) {
  const int64_t dimensions = request.dimensions > 0 ? request.dimensions : model.dimensions;
  std::string out = R"({"object":"list","data":[)";
  for (size_t i = 0; i < request.parts.size(); ++i) {
    out += fmt::format(R"({}{{"object":"embedding","index":{},"embedding":)", i > 0 ? "," : "", i);
    append_vector(out, lab_embedding(request.parts[i].hash ^ seed, dimensions), request.base64);
    out += '}';
  }
  out += R"(],"model":)";
  append_json(out, request.model);
  out += fmt::format(R"(,"usage":{{"prompt_tokens":{},"total_tokens":{}}}}})",
                     request.prompt_tokens, request.prompt_tokens);
  return out;
}

}  // namespace sluice::providers
