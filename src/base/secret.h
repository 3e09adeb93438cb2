// A string nobody may see: an API key, a password. It cannot be printed, formatted, logged or
// compared by accident, and its memory is zeroed when it goes. Whoever must send it says reveal(),
// so that every use can be found by name.
#pragma once

#include <string.h>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) { wipe(value); }
  Secret(const Secret& other) : value_(other.value_) {}
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe(other.value_); }
  Secret& operator=(Secret other) noexcept {
    value_.swap(other.value_);
    return *this;
  }
  ~Secret() { wipe(value_); }

  std::string_view reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

  // Takes the same time wherever the two differ; only their lengths may show.
  bool equals(std::string_view other) const {
    if (other.size() != value_.size()) return false;
    unsigned char difference = 0;
    for (size_t i = 0; i < other.size(); ++i) {
      difference |= static_cast<unsigned char>(value_[i] ^ other[i]);
    }
    return difference == 0;
  }

  bool operator==(const Secret&) const = delete;  // use equals(), which says what it costs

 private:
  // Short strings live inside the object, so a moved-from one may still hold the bytes.
  static void wipe(std::string& text) {
    text.resize(text.capacity());
    explicit_bzero(text.data(), text.size());
    text.clear();
  }

  std::string value_;
};

}  // namespace sluice
