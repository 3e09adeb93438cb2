// Any path into anything that an ESC backend may answer: a text, or why there is none.
#include <cstdlib>
#include <string_view>

#include "app/esc_value.h"

// The path ends at the first line break.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  const std::string_view path = text.substr(0, end);
  const auto value = sluice::app::esc_value(text.substr(end + 1), path);
  if (value && !sluice::app::check_esc_path(path)) std::abort();
  if (!value && value.error().message().empty()) std::abort();
  return 0;
}
