// Encoding a request for an upstream of the same dialect: the client's bytes with few edits.
#include <algorithm>
#include <cstring>

#include "wire/json.h"
#include "wire/openai.h"

namespace sluice::openai {
namespace {

constexpr std::string_view kInsertOptions = R"("stream_options":{"include_usage":true},)";
constexpr std::string_view kWholeOptions = R"({"include_usage":true})";
constexpr std::string_view kInsertUsage = R"("include_usage":true)";
constexpr std::string_view kInsertUsageComma = R"("include_usage":true,)";

// Bytes [begin, end) of the body give way to `text`.
struct Edit {
  uint32_t begin = 0;
  uint32_t end = 0;
  std::string_view text;
};

bool needs_quoting(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x7f;
  });
}

// How the body must change so that the stream ends with its usage.
Edit ask_for_usage(const chat::Request& request) {
  const chat::Span options = request.stream_options_value;
  if (options.empty()) return {request.object_open, request.object_open, kInsertOptions};
  if (request.body[options.begin] != '{') return {options.begin, options.end, kWholeOptions};
  const chat::Span value = request.include_usage_value;
  if (!value.empty()) return {value.begin, value.end, "true"};
  const uint32_t at = options.begin + 1;
  const size_t first = request.body.find_first_not_of(" \t\r\n", at);
  return {at, at, request.body[first] == '}' ? kInsertUsage : kInsertUsageComma};
}

}  // namespace

void Pieces::add(std::string_view slice) {
  if (slice.empty()) return;
  slices_[count_++] = slice;
  size_ += slice.size();
}

void Pieces::add_owned(const std::string& slice) {
  owned_ = std::make_unique<char[]>(slice.size());
  std::memcpy(owned_.get(), slice.data(), slice.size());
  add({owned_.get(), slice.size()});
}

std::string Pieces::str() const {
  std::string text;
  text.reserve(size_);
  for (const std::string_view slice : slices()) text += slice;
  return text;
}

Pieces encode_request(const chat::Request& request, const EncodeOptions& options) {
  Pieces pieces;
  uint32_t done = 0;
  const auto keep_until = [&](uint32_t end) {
    pieces.add(request.body.substr(done, end - done));
    done = end;
  };
  const auto edit_usage = [&](const Edit& edit) {
    keep_until(edit.begin);
    pieces.add(edit.text);
    done = edit.end;
  };
  const auto edit_model = [&] {
    keep_until(request.model_value.begin);
    if (needs_quoting(options.model)) {
      std::string quoted;
      json::append_quoted(quoted, options.model);
      pieces.add_owned(quoted);
    } else {
      pieces.add("\"");
      pieces.add(options.model);
      pieces.add("\"");
    }
    done = request.model_value.end;
  };

  const bool ask = options.ask_usage && request.stream && !request.asked_usage &&
                   request.endpoint != chat::Endpoint::Embeddings;
  const bool rename = options.model != request.model;
  const Edit usage = ask ? ask_for_usage(request) : Edit{};
  const bool usage_first = ask && usage.begin < request.model_value.begin;
  if (usage_first) edit_usage(usage);
  if (rename) edit_model();
  if (ask && !usage_first) edit_usage(usage);
  keep_until(static_cast<uint32_t>(request.body.size()));
  return pieces;
}

}  // namespace sluice::openai
