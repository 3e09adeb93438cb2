// How many tokens a conversation would be, without asking the provider.
//
// The weights were fitted to the vendor's published tokenizer: English prose, Markdown, C++ and
// Python come out within a tenth, JSON up to a fifth high, German a sixth low, Russian, Chinese and
// Japanese within a tenth. What messages and tools add is from the vendor's documentation.
#include <algorithm>
#include <array>

#include "wire/anthropic.h"

namespace sluice::anthropic {
namespace {

using chat::Part;

constexpr int64_t kPerRequest = 3;
constexpr int64_t kPerMessage = 4;
constexpr int64_t kToolInstructions = 320;  // added by the provider as soon as there is a tool
constexpr int64_t kPerTool = 8;
constexpr int64_t kPerToolBlock = 12;
constexpr int64_t kPerImage = 1600;  // of the largest that is not scaled down
constexpr int64_t kPerDocument = 2000;
constexpr int64_t kDocumentBytesPerToken = 20;

enum class Kind : uint8_t { Space, NewLine, Letter, Digit, Sign, Wide2, Wide3 };

Kind kind_of(unsigned char c) {
  if (c >= 0xe0) return Kind::Wide3;
  if (c >= 0x80) return Kind::Wide2;
  if (c == '\n') return Kind::NewLine;
  if (c <= ' ') return Kind::Space;
  if (c >= '0' && c <= '9') return Kind::Digit;
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return Kind::Letter;
  return Kind::Sign;
}

// The end of the run of one kind that begins at `begin`. Bytes that continue a character belong to
// it, blanks to the new line before them.
size_t run_end(std::string_view text, size_t begin, Kind kind) {
  size_t i = begin + 1;
  for (; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool continues = kind >= Kind::Wide2 && (c & 0xc0) == 0x80;
    const bool blank = kind == Kind::NewLine && c <= ' ';
    if (!continues && !blank && kind_of(c) != kind) break;
  }
  return i;
}

// In hundredths of a token.
int64_t weight_of(Kind kind, int64_t length) {
  constexpr int64_t kLettersInOne = 8;
  constexpr int64_t kLettersPerMore = 3;
  switch (kind) {
    case Kind::Space:
      return length > 1 ? 100 : 0;  // one belongs to the word after it
    case Kind::NewLine:
      return 100;
    case Kind::Letter:
      return 100 * (1 + std::max<int64_t>(0, length - kLettersInOne + kLettersPerMore - 1) /
                            kLettersPerMore);
    case Kind::Digit:
      return 100 * ((length + 1) / 2);
    case Kind::Sign:
      return 100 + 30 * (length - 1);
    case Kind::Wide2:
      return 100 * ((length / 2 + 1) / 2);
    case Kind::Wide3:
      return 115 * (length + 2) / 3;
  }
  return 0;
}

int64_t tokens_of(std::string_view text) {
  int64_t hundredths = 0;
  for (size_t i = 0; i < text.size();) {
    const Kind kind = kind_of(static_cast<unsigned char>(text[i]));
    const size_t end = run_end(text, i, kind);
    hundredths += weight_of(kind, static_cast<int64_t>(end - i));
    i = end;
  }
  return (hundredths + 99) / 100;
}

int64_t tokens_of(const Part& part, bool thinking_counts) {
  switch (part.kind) {
    case Part::Kind::Text:
    case Part::Kind::Refusal:
      return tokens_of(part.text);
    case Part::Kind::Image:
      return kPerImage;
    case Part::Kind::File:
      return kPerDocument + static_cast<int64_t>(part.data.size()) / kDocumentBytesPerToken;
    case Part::Kind::Audio:
      return 0;
    case Part::Kind::ToolCall:
      return kPerToolBlock + tokens_of(part.name) + tokens_of(part.arguments);
    case Part::Kind::ToolResult: {
      int64_t tokens = kPerToolBlock;
      for (const Part& inner : part.content) tokens += tokens_of(inner, thinking_counts);
      return tokens;
    }
    case Part::Kind::Thinking:
      return thinking_counts ? tokens_of(part.text) : 0;
    case Part::Kind::Redacted:
      return thinking_counts ? tokens_of(part.data) : 0;
    case Part::Kind::Foreign:
      return tokens_of(part.json);
  }
  return 0;
}

// The provider forgets what was thought before the user last spoke.
size_t last_words_of_user(const chat::Conversation& conversation) {
  for (size_t i = conversation.messages.size(); i-- > 0;) {
    const chat::Message& message = conversation.messages[i];
    const bool speaks =
        std::any_of(message.parts.begin(), message.parts.end(),
                    [](const Part& part) { return part.kind != Part::Kind::ToolResult; });
    if (message.role == chat::Role::User && speaks) return i;
  }
  return 0;
}

}  // namespace

int64_t estimate_tokens(const chat::Conversation& conversation) {
  int64_t tokens = kPerRequest;
  const size_t spoken = last_words_of_user(conversation);
  for (size_t i = 0; i < conversation.messages.size(); ++i) {
    tokens += kPerMessage;
    for (const Part& part : conversation.messages[i].parts) tokens += tokens_of(part, i > spoken);
  }
  if (!conversation.tools.empty()) tokens += kToolInstructions;
  for (const chat::Tool& tool : conversation.tools) {
    tokens += kPerTool + tokens_of(tool.name) + tokens_of(tool.description) +
              tokens_of(tool.parameters) + tokens_of(tool.json);
  }
  tokens += tokens_of(conversation.format.schema);
  return tokens;
}

}  // namespace sluice::anthropic
