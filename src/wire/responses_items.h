// Output items and the response object as JSON text. Not for other rooms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/chat.h"
#include "wire/conversation.h"
#include "wire/responses.h"

namespace sluice::responses {

// A provider of another dialect proves its reasoning with a signature, or encrypts it. Clients of
// this one send back what they were given as `encrypted_content`, so it travels there. Reasoning
// without either has the mark alone: it tells that no provider of this dialect made the item.
inline constexpr std::string_view kSignatureMark = "sluice:signature:";
inline constexpr std::string_view kRedactedMark = "sluice:redacted:";

// Members "id" … up to and with the echo, then a comma: what all response objects of one answer
// begin with. The opening brace is in it.
std::string response_head(std::string_view id, std::string_view model, int64_t created,
                          const ResponseNames& names);
// "resp_1" for "1", "resp_1" for "resp_1".
std::string response_id_of(std::string_view id);
// The item at `index` of an answer: "msg_1_0" for prefix "msg" and response "resp_1".
std::string item_id_of(std::string_view prefix, std::string_view response_id, int64_t index);

// "completed" or "incomplete": of a response that has ended, and of the item it ended in.
std::string_view status_of(chat::Finish finish);
// The rest of a response object. `output`: items, joined by commas. `finish` absent: still running.
void append_response_tail(std::string& out, std::optional<chat::Finish> finish,
                          std::string_view output, const std::optional<chat::Usage>& usage);

void append_text_part(std::string& out, std::string_view text);
void append_refusal_part(std::string& out, std::string_view text);
// {"type":"summary_text","text":""}
void append_summary_part(std::string& out, std::string_view text);
// `content`: parts, joined by commas.
void append_message(std::string& out, std::string_view id, std::string_view status,
                    std::string_view content);
struct ReasoningItem {
  std::string_view id;
  std::string_view summary;  // parts, joined by commas
  std::string_view signature;
  std::string_view redacted;
};
void append_reasoning(std::string& out, const ReasoningItem& item);
struct CallItem {
  std::string_view id;
  std::string_view call_id;
  std::string_view name;
  bool custom = false;
  std::string_view arguments;
};
void append_call(std::string& out, const CallItem& item, std::string_view status);

}  // namespace sluice::responses
