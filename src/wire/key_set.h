// The keys of one JSON object, to find one that stands there twice (the
// gateway must not read another `model` than the upstream does). Keys are borrowed.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.h"

namespace sluice::json {

class KeySet {
 public:
  // No sensible request has more; a hostile one shall not make us compare for long.
  static constexpr size_t kMaxKeys = 256;

  enum class Added : uint8_t { Yes, Twice, TooMany };

  // Keys are compared by the text they stand for: "mod\u0065l" is "model".
  Added add(const Text& key) {
    if (count_ == kMaxKeys) return Added::TooMany;
    std::string_view text = key.raw;
    if (key.escaped) {
      if (!unescaped_) unescaped_ = std::make_unique<std::deque<std::string>>();
      text = unescaped_->emplace_back(key.str());
    }
    for (size_t i = 0; i < count_; ++i) {
      if (at(i) == text) return Added::Twice;
    }
    if (count_ < first_.size()) {
      first_[count_] = text;
    } else {
      more_.push_back(text);
    }
    ++count_;
    return Added::Yes;
  }

 private:
  std::string_view at(size_t i) const {
    return i < first_.size() ? first_[i] : more_[i - first_.size()];
  }

  std::array<std::string_view, 24> first_;
  size_t count_ = 0;
  std::vector<std::string_view> more_;
  std::unique_ptr<std::deque<std::string>> unescaped_;
};

}  // namespace sluice::json
