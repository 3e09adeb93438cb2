// Encoding a request for an upstream of the same dialect: the client's bytes with few edits.
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
    pieces.add_quoted(options.model);
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
