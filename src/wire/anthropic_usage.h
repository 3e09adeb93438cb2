// `usage` and `error` as replies and stream events have them. Not for other rooms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/chat.h"
#include "wire/json.h"
#include "wire/reply_stream.h"
#include "wire/reply_values.h"

namespace sluice::anthropic {

// The counts of a `usage` object as they stand there; -1 where it has none.
struct UsageCounts {
  int64_t input = -1;  // without what was read from the cache or written to it
  int64_t cache_write = -1;
  int64_t cache_write_5m = -1;
  int64_t cache_write_1h = -1;
  int64_t cache_read = -1;
  int64_t output = -1;  // thinking included
  int64_t thinking = -1;
  double cost = 0;  // USD, of intermediaries that say it
  chat::ServiceTier tier = chat::ServiceTier::Unsaid;

  // What a later event of the same stream says: its numbers are of the whole and replace these. An
  // input of nothing but zeros is a place-holder and replaces nothing.
  void update(const UsageCounts& later);
  // In disjoint buckets. Empty without a count of input, or if nothing was counted.
  std::optional<chat::Usage> buckets() const;
};

// Reads a `usage` value. Numbers that are negative, absurd or no integers count as absent. False
// only if the text is broken.
bool read_usage(json::Reader& reader, UsageCounts* counts);

// Appends the object that read_usage reads.
void append_usage(std::string& out, const chat::Usage& usage);

// For an answer whose upstream counted nothing: the clients of this dialect compute with the counts
// and fail without them. At least 1 of each.
chat::Usage estimated_usage(const chat::StreamOptions& names, int64_t output_bytes);

// Reads an `error` value, whose code may stand in its `details`: an object, or what sloppy servers
// put there. False in *present for null. Returns false only if the text is broken.
bool read_error(json::Reader& reader, chat::ErrorFacts* facts, bool* present);

}  // namespace sluice::anthropic
