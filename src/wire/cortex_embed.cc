#include "wire/cortex_embed.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <utility>

#include "wire/json.h"
#include "wire/openai.h"
#include "wire/openai_conversation_json.h"
#include "wire/openai_usage.h"
#include "wire/openai_write_json.h"

namespace sluice::cortex {

using json::Type;

namespace {

struct Body {
  EmbedReply reply;
  chat::ErrorFacts error;
  bool has_error = false;
  bool has_data = false;
  std::string fault;  // why the data cannot be used
};

void note_fault(Body* body, std::string fault) {
  if (body->fault.empty()) body->fault = std::move(fault);
}

// A flat array of numbers that fit a float; empty if it is none.
std::string_view take_vector(json::Reader& reader) {
  const char* start = reader.pointer();
  bool good = true;
  size_t count = 0;
  openai::each_element(reader, [&] {
    const std::optional<double> value = openai::take_real(reader);
    good = good && value && std::abs(*value) <= std::numeric_limits<float>::max();
    ++count;
  });
  return good && count > 0 && !reader.failed() ? reader.since(start) : std::string_view();
}

std::string_view take_embedding(json::Reader& reader) {
  if (reader.peek() != Type::Array) {
    reader.skip();
    return {};
  }
  json::Reader ahead = reader;
  ahead.open_array();
  const bool nested = ahead.next_element() && ahead.peek() == Type::Array;
  if (!nested) return take_vector(reader);
  std::string_view vector;
  size_t count = 0;
  openai::each_element(reader, [&] {
    const std::string_view inner =
        reader.peek() == Type::Array ? take_vector(reader) : (reader.skip(), std::string_view());
    if (count++ == 0) vector = inner;
  });
  return count == 1 ? vector : std::string_view();
}

void read_entry(json::Reader& reader, size_t position, Body* body) {
  int64_t index = static_cast<int64_t>(position);
  std::string_view vector;
  openai::each_member(reader, [&](std::string_view key) {
    if (key == "index") {
      index = openai::take_integer(reader).value_or(index);
    } else if (key == "embedding") {
      vector = take_embedding(reader);
    } else {
      reader.skip();
    }
  });
  std::vector<std::string_view>& vectors = body->reply.vectors;
  if (index < 0 || index >= static_cast<int64_t>(vectors.size())) {
    note_fault(body, fmt::format("a vector with the index {} of {}", index, vectors.size()));
  } else if (vector.empty()) {
    note_fault(body, fmt::format("no vector of numbers at index {}", index));
  } else if (!vectors[static_cast<size_t>(index)].empty()) {
    note_fault(body, fmt::format("two vectors with the index {}", index));
  } else {
    vectors[static_cast<size_t>(index)] = vector;
  }
}

void read_usage(json::Reader& reader, Body* body) {
  openai::each_member(reader, [&](std::string_view key) {
    if (key != "total_tokens") {
      reader.skip();
      return;
    }
    const int64_t total = openai::take_integer(reader).value_or(-1);
    if (total > 0 && total <= chat::kAbsurdTokens) body->reply.tokens = total;
  });
}

void read_member(json::Reader& reader, std::string_view key, Body* body) {
  if (key == "data") {
    body->has_data = reader.peek() == Type::Array;
    size_t position = 0;
    openai::each_element(reader, [&] { read_entry(reader, position++, body); });
  } else if (key == "model") {
    body->reply.model = openai::take_text(reader);
  } else if (key == "usage") {
    read_usage(reader, body);
  } else if (key == "error") {
    openai::read_error(reader, &body->error, &body->has_error);
  } else if (key == "message") {
    body->error.message = openai::take_text(reader);
  } else if (key == "code" || key == "error_code") {
    body->error.code = openai::take_text(reader);
  } else {
    reader.skip();
  }
}

}  // namespace

std::string write_embed_request(std::span<const std::string> inputs, std::string_view model) {
  std::string out;
  openai::JsonWriter json(out);
  json.open_object().member("model", model).key("text").open_array();
  for (const std::string& input : inputs) json.text(input);
  json.close_array().close_object();
  return out;
}

Result<EmbedReply> read_embed_reply(std::string_view text, size_t inputs) {
  if (!openai::is_json(text, Type::Object)) {
    return Error(Outcome::UpstreamBadReply, "the upstream's reply is not a JSON object");
  }
  Body body;
  body.reply.vectors.resize(inputs);
  json::Reader reader(text);
  openai::each_member(reader, [&](std::string_view key) { read_member(reader, key, &body); });
  if (body.has_error || (!body.has_data && !body.error.message.empty())) {
    std::string message = std::move(body.error.message);
    if (message.empty()) message = "the upstream reported an error without a message";
    return Error(openai::outcome_of_error(body.error.code, body.error.type), std::move(message));
  }
  const auto& vectors = body.reply.vectors;
  const auto missing = std::find_if(vectors.begin(), vectors.end(),
                                    [](std::string_view vector) { return vector.empty(); });
  if (missing != vectors.end()) {
    note_fault(&body, fmt::format("no vector with the index {}", missing - vectors.begin()));
  }
  if (!body.has_data || !body.fault.empty()) {
    const std::string fault = body.has_data ? body.fault : "no `data`";
    return Error(Outcome::UpstreamBadReply, fmt::format("the upstream's reply has {}", fault));
  }
  return std::move(body.reply);
}

std::vector<EmbedReply> split_embed_reply(const EmbedReply& whole,
                                          std::span<const EmbedShare> shares) {
  // An estimate of nothing would leave a caller out: everybody weighs at least one.
  const auto weight = [](const EmbedShare& share) {
    return std::clamp<int64_t>(share.estimated_tokens, 1, chat::kAbsurdTokens);
  };
  int64_t weights = 0;
  for (const EmbedShare& share : shares) weights += weight(share);
  std::vector<EmbedReply> parts(shares.size());
  std::vector<int64_t> remainders(shares.size());
  int64_t left = whole.tokens.value_or(0);
  size_t first = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    parts[i].model = whole.model;
    const auto begin = whole.vectors.begin() + static_cast<ptrdiff_t>(first);
    parts[i].vectors.assign(begin, begin + static_cast<ptrdiff_t>(shares[i].inputs));
    first += shares[i].inputs;
    if (!whole.tokens) continue;
    const int64_t product = *whole.tokens * weight(shares[i]);
    parts[i].tokens = product / weights;
    remainders[i] = product % weights;
    left -= *parts[i].tokens;
  }
  std::vector<size_t> order(shares.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return remainders[a] > remainders[b]; });
  for (size_t i = 0; left > 0; ++i, --left) ++*parts[order[i]].tokens;
  return parts;
}

}  // namespace sluice::cortex
