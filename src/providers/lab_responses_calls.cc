// What can be asked of a stored response, and how OpenAI answers and refuses it.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "providers/lab_responses.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kPrefix = "/responses/";
constexpr int64_t kMostItems = 100;
constexpr int64_t kUsualItems = 20;

// The value of a parameter of a query; the last one counts.
std::optional<std::string_view> parameter(std::string_view query, std::string_view name) {
  std::optional<std::string_view> found;
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), one.size() + 1));
    const size_t equals = std::min(one.find('='), one.size());
    if (one.substr(0, equals) == name) found = one.substr(std::min(one.size(), equals + 1));
  }
  return found;
}

std::optional<int64_t> number_in(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Of an item or an event, which hold such a member once at the top, before any other of that name.
std::string_view member_in(std::string_view json, std::string_view name) {
  const std::string key = fmt::format("\"{}\":", name);
  const size_t at = json.find(key);
  if (at == std::string_view::npos) return {};
  json.remove_prefix(at + key.size());
  if (json.starts_with('"')) return json.substr(1, json.find('"', 1) - 1);
  return json.substr(0, json.find_first_of(",}"));
}

// The events behind the one of this number.
std::string events_after(std::string_view events, int64_t number) {
  constexpr std::string_view kEnd = "\n\n";
  while (!events.empty()) {
    const size_t size = std::min(events.find(kEnd), events.size() - kEnd.size()) + kEnd.size();
    const auto own = number_in(member_in(events.substr(0, size), "sequence_number"));
    if (own.value_or(0) > number) break;
    events.remove_prefix(size);
  }
  return std::string(events);
}

std::string items_page(std::span<const std::string> items, bool more) {
  std::string out = R"({"object":"list","data":[)";
  for (const std::string& item : items) {
    if (&item != items.data()) out += ',';
    out += item;
  }
  const auto quoted = [](std::string_view id) { return fmt::format("\"{}\"", id); };
  const bool none = items.empty();
  return out + fmt::format("],\"first_id\":{},\"last_id\":{},\"has_more\":{}}}\n",
                           none ? "null" : quoted(member_in(items.front(), "id")),
                           none ? "null" : quoted(member_in(items.back(), "id")), more);
}

LabResponses::Answer refused(int status, std::string code, std::string param, std::string message) {
  LabResponses::Answer answer;
  answer.error = lab_refusal(status, std::move(code), std::move(param), std::move(message));
  return answer;
}

}  // namespace

struct LabResponses::Call {
  std::string_view method;
  std::string_view suffix;
  Answer (LabResponses::*run)(const std::string& id, const Ask& ask);
};

constexpr LabResponses::Call LabResponses::kCalls[] = {
    {"GET", "", &LabResponses::retrieve},
    {"DELETE", "", &LabResponses::remove},
    {"POST", "/cancel", &LabResponses::cancel},
    {"GET", "/input_items", &LabResponses::list_items},
};

LabResponses::Answer LabResponses::answer(const Ask& ask) {
  std::string_view rest = ask.path.substr(kPrefix.size());
  const std::string id(rest.substr(0, rest.find('/')));
  rest.remove_prefix(id.size());
  std::string allowed;
  const std::lock_guard guard(lock_);
  for (const Call& call : kCalls) {
    if (call.suffix != rest) continue;
    if (call.method == ask.method) {
      if (find(id, ask.credential) != nullptr) return (this->*call.run)(id, ask);
      return refused(404, "", "", fmt::format("Response with id '{}' not found.", id));
    }
    allowed.append(allowed.empty() ? "" : ", ").append(call.method);
  }
  if (allowed.empty()) {
    return refused(404, "", "", fmt::format("Unknown request URL: {} {}.", ask.method, ask.path));
  }
  Answer answer = refused(
      405, "", "", fmt::format("Not allowed to {} on {}; use {}.", ask.method, ask.path, allowed));
  answer.error->headers = fmt::format("Allow: {}\r\n", allowed);
  return answer;
}

LabResponses::Answer LabResponses::retrieve(const std::string& id, const Ask& ask) {
  const Entry& entry = entries_.at(id);
  const Made& made = entry.made;
  if (parameter(ask.query, "stream").value_or("false") != "true") {
    const bool done = made.running.empty() || ask.now >= made.done_at;
    return {.body = entry.is_cancelled ? made.cancelled : done ? made.body : made.running};
  }
  if (made.events.empty()) {
    return refused(400, "", "stream",
                   "Only responses that were created with 'background' and 'stream' set to true "
                   "can be streamed.");
  }
  const std::string_view after = parameter(ask.query, "starting_after").value_or("-1");
  const std::optional<int64_t> number = number_in(after);
  if (!number) {
    return refused(400, "invalid_type", "starting_after",
                   "Invalid type for 'starting_after': expected an integer.");
  }
  return {.body = events_after(made.events, *number), .is_stream = true};
}

LabResponses::Answer LabResponses::remove(const std::string& id, const Ask&) {
  forget(id);
  return {.body = fmt::format(R"({{"id":"{}","object":"response","deleted":true}})", id) + "\n"};
}

LabResponses::Answer LabResponses::cancel(const std::string& id, const Ask& ask) {
  Entry& entry = entries_.at(id);
  if (entry.made.running.empty()) {
    return refused(400, "", "", "Cannot cancel a synchronous response.");
  }
  if (!entry.is_cancelled && ask.now >= entry.made.done_at) {
    return refused(400, "", "", "Cannot cancel a completed response.");
  }
  entry.is_cancelled = true;  // once more does no harm
  return {.body = entry.made.cancelled};
}

LabResponses::Answer LabResponses::list_items(const std::string& id, const Ask& ask) {
  const std::string_view order = parameter(ask.query, "order").value_or("desc");
  if (order != "asc" && order != "desc") {
    return refused(
        400, "invalid_value", "order",
        fmt::format("Invalid value: '{}'. Supported values are: 'asc' and 'desc'.", order));
  }
  const auto limit = parameter(ask.query, "limit");
  const int64_t most = limit ? number_in(*limit).value_or(0) : kUsualItems;
  if (most < 1 || most > kMostItems) {
    return refused(400, most < 1 ? "integer_below_min_value" : "integer_above_max_value", "limit",
                   fmt::format("Invalid 'limit': expected an integer from 1 to {}.", kMostItems));
  }
  std::vector<std::string> items = entries_.at(id).input_items;
  if (order == "desc") std::reverse(items.begin(), items.end());
  auto from = items.begin();
  if (const auto after = parameter(ask.query, "after")) {
    from = std::find_if(items.begin(), items.end(),
                        [&](const std::string& item) { return member_in(item, "id") == *after; });
    if (from == items.end()) {
      return refused(400, "invalid_value", "after",
                     fmt::format("Item with id '{}' not found.", *after));
    }
    ++from;
  }
  const auto count = std::min<int64_t>(most, items.end() - from);
  const std::span<const std::string> page(from, static_cast<size_t>(count));
  return {.body = items_page(page, from + count != items.end())};
}

}  // namespace sluice::providers
