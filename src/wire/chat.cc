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
  }
  return "chat";
}

}  // namespace sluice::chat
