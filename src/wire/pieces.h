// A body as slices of somebody's bytes with a few bytes of ours between them: ready for writev.
// Views point into what was added and into the Pieces' own memory; moving the Pieces keeps them
// valid. Not for sharing between threads.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "wire/chat.h"

namespace sluice::chat {

class Pieces {
 public:
  static constexpr size_t kMax = 8;

  std::span<const std::string_view> slices() const { return {slices_.data(), count_}; }
  size_t size() const { return size_; }
  std::string str() const;

  // Requires: fewer than kMax slices so far. An empty slice is not added.
  void add(std::string_view slice);
  // Adds a slice of bytes that nobody else keeps. At most once.
  void add_owned(const std::string& slice);
  // Adds `name` as a JSON string: three slices where it can be written as it is, else one that is
  // owned. `name` must outlive the Pieces.
  void add_quoted(std::string_view name);

 private:
  std::array<std::string_view, kMax> slices_;
  std::unique_ptr<char[]> owned_;
  size_t size_ = 0;
  size_t count_ = 0;
};

// The request's body, byte for byte the client's but for the model. `model` must outlive the
// Pieces.
Pieces with_model(const Request& request, std::string_view model);

}  // namespace sluice::chat
