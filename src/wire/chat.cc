#include "wire/chat.h"

namespace sluice::chat {

std::string_view name_of(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::Chat:
      return "chat";
    case Endpoint::Completions:
      return "completions";
    case Endpoint::Embeddings:
      return "embeddings";
    case Endpoint::Responses:
      return "responses";
    case Endpoint::Messages:
      return "messages";
    case Endpoint::CountTokens:
      return "count_tokens";
  }
  return "chat";
}

}  // namespace sluice::chat
