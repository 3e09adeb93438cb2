#include "telemetry/model_name.h"

#include <algorithm>

namespace sluice::telemetry {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string normal_name(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '.') c = '-';
  }
  return text;
}

std::string_view without_date(std::string_view model) {
  constexpr size_t kDashed = 11;
  constexpr size_t kPlain = 9;
  if (model.size() > kDashed) {
    const std::string_view tail = model.substr(model.size() - kDashed);
    if (tail[0] == '-' && tail[5] == '-' && tail[8] == '-' && all_digits(tail.substr(1, 4)) &&
        all_digits(tail.substr(6, 2)) && all_digits(tail.substr(9, 2))) {
      return model.substr(0, model.size() - kDashed);
    }
  }
  if (model.size() > kPlain) {
    const std::string_view tail = model.substr(model.size() - kPlain);
    if ((tail[0] == '-' || tail[0] == '@') && tail.substr(1).starts_with("20") &&
        all_digits(tail.substr(1))) {
      return model.substr(0, model.size() - kPlain);
    }
  }
  return model;
}

}  // namespace sluice::telemetry
