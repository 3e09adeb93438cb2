// What answers and stream events of the native API share: content items, usage, the end. Not for
// other rooms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/conversation.h"
#include "wire/json.h"

namespace sluice::cortex {

// One item of a content_list, or a delta, which has the same members flat.
struct ContentItem {
  std::string type;
  std::string text;      // `text`, else `content`
  std::string thinking;  // of a reasoning item
  std::string id;        // tool_use
  std::string name;
  std::string input;              // JSON text or a fragment of it
  bool input_json = false;        // it stood there as a value, not as a string: it is whole
  std::vector<ContentItem> list;  // content_list

  bool is_call() const { return type == "tool_use" || !id.empty(); }
  bool is_thinking() const { return type == "thinking" || type == "reasoning"; }
  std::string take_thinking() { return std::move(thinking.empty() ? text : thinking); }
};
ContentItem read_item(json::Reader& reader);
// What the item says: a text stands in it and again in its list, which may hold calls and
// reasoning besides.
std::vector<ContentItem> flatten(ContentItem&& item);

// Empty for null, {} and counts that are absurd or all zero. Cached tokens are part of
// prompt_tokens or stand beside them: total_tokens tells which. Tokens of the guard are input.
std::optional<chat::Usage> read_usage(json::Reader& reader);

// How an answer ended; see read_answer. `word` is the upstream's own, mostly none.
chat::Finish finish_of(std::string_view word, bool any_call,
                       const std::optional<chat::Usage>& usage, int64_t max_tokens);

}  // namespace sluice::cortex
