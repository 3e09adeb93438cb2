// `usage`, output items and the response object: what buffered replies and stream events share. Not
// for other rooms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wire/chat.h"
#include "wire/json.h"
#include "wire/openai_usage.h"

namespace sluice::responses {

// More ids of one answer than this are not kept.
inline constexpr size_t kMaxItemIds = 256;

// Reads a `usage` value. Empty for null, for numbers that are negative, absurd or no integers, for
// a usage without input_tokens and for the placeholder 0 and 0. Details larger than their total are
// cut so that the buckets sum to the totals. False only if the text is broken.
bool read_usage(json::Reader& reader, std::optional<chat::Usage>* usage);

// What stands for reasoning that its maker alone can read, among the ids of items: programs that
// store nothing often send it back without an id. Enough of it to be one of a kind.
std::string seal_id(const json::Text& encrypted);

// What an output item says. Views point into the text.
struct ItemFacts {
  json::Text id;
  json::Text type;
  json::Text name;          // of a call
  json::Text encrypted;     // reasoning that its maker alone can read
  openai::Content content;  // text, reasoning, arguments

  // The caller would see something of it. A hosted tool counts as soon as it is there: it runs, and
  // is billed. `done`: this is the whole item, so that a call without arguments is a call.
  bool visible(bool done) const;
};

// Reads one output item, or one content part. Returns false only if the text is broken.
bool read_item(json::Reader& reader, ItemFacts* item);

// What a response object says.
struct ResponseFacts {
  json::Text id;
  json::Text model;
  json::Text status;
  json::Text object;
  std::optional<chat::Usage> usage;  // with the tier
  chat::ServiceTier tier = chat::ServiceTier::Unsaid;
  bool has_output = false;  // an array
  bool visible = false;     // there is something in it that the caller sees
  int64_t output_bytes = 0;
  std::vector<std::string> item_ids;
  chat::ErrorFacts error;
  bool has_error = false;

  // failed, cancelled, or an error object.
  bool is_failure() const;
  // Takes one member; of others nothing is kept.
  bool read_member(json::Reader& reader, std::string_view key);
};

// Reads a response object. Returns false only if the text is broken.
bool read_response(json::Reader& reader, ResponseFacts* facts);

}  // namespace sluice::responses
