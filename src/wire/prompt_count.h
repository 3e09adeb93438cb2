// How many tokens a whole request is: its texts, and what the format around them costs.
#pragma once

#include <cstdint>

#include "wire/conversation.h"
#include "wire/encoding.h"

namespace sluice::tokens {

// What a provider's format adds to the texts, in tokens.
struct Format {
  int64_t request = 0;
  int64_t message = 0;
  int64_t name = 0;        // of a speaker, with its text
  int64_t first_tool = 0;  // instructions that come with any tool
  int64_t tool = 0;
  int64_t tool_block = 0;  // a call, or a result
  int64_t image = 0;
  int64_t low_image = 0;  // with detail "low"
  int64_t document = 0;
  int64_t document_bytes = 1;  // base64 bytes a token
  int64_t audio_bytes = 1;     // base64 bytes a token
  // What was thought since the user last spoke is part of the prompt; false: no thought is.
  bool keeps_thoughts = false;
};

// As OpenAI says for chat: four a message, the word for its role being one of them, one for a name
// and three for the answer's start. Tools are written into the prompt in a way that is not
// published; a picture is what one of 1024 x 1024 costs in gpt-4o; sound is ten tokens a second, at
// the rate of common recordings.
inline constexpr Format kOpenaiFormat{.request = 3,
                                      .message = 4,
                                      .name = 1,
                                      .first_tool = 12,
                                      .tool = 7,
                                      .tool_block = 8,
                                      .image = 765,
                                      .low_image = 85,
                                      .document = 1000,
                                      .document_bytes = 20,
                                      .audio_bytes = 2000};

// As Anthropic documents it; a picture is the largest that is not scaled down.
inline constexpr Format kAnthropicFormat{.request = 3,
                                         .message = 4,
                                         .first_tool = 320,
                                         .tool = 8,
                                         .tool_block = 12,
                                         .image = 1600,
                                         .low_image = 1600,
                                         .document = 2000,
                                         .document_bytes = 20,
                                         .audio_bytes = 2000,
                                         .keeps_thoughts = true};

// Above this, texts are estimated whatever the model: they are longer than any model takes, and
// counting them would keep everybody else waiting.
inline constexpr size_t kMostCounted = 4 << 20;

// Exact if every message is one text at most, there are no tools and no schema, and `encoding` is
// the model's own. Without an encoding (null) all texts are estimated. `merger` is not used then.
Count count_prompt(const chat::Conversation& conversation, const Format& format,
                   const Encoding* encoding, Merger& merger);

}  // namespace sluice::tokens
