#include "wire/pieces.h"

#include <algorithm>
#include <cstring>

#include "wire/json.h"

namespace sluice::chat {
namespace {

bool needs_escapes(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x7f;
  });
}

}  // namespace

void Pieces::add(std::string_view slice) {
  if (slice.empty()) return;
  slices_[count_++] = slice;
  size_ += slice.size();
}

void Pieces::add_owned(const std::string& slice) {
  owned_ = std::make_unique<char[]>(slice.size());
  std::memcpy(owned_.get(), slice.data(), slice.size());
  add({owned_.get(), slice.size()});
}

void Pieces::add_quoted(std::string_view name) {
  if (needs_escapes(name)) {
    std::string quoted;
    json::append_quoted(quoted, name);
    add_owned(quoted);
    return;
  }
  add("\"");
  add(name);
  add("\"");
}

std::string Pieces::str() const {
  std::string text;
  text.reserve(size_);
  for (const std::string_view slice : slices()) text += slice;
  return text;
}

Pieces with_model(const Request& request, std::string_view model) {
  Pieces pieces;
  if (model == request.model) {
    pieces.add(request.body);
    return pieces;
  }
  pieces.add(request.body.substr(0, request.model_value.begin));
  pieces.add_quoted(model);
  pieces.add(request.body.substr(request.model_value.end));
  return pieces;
}

}  // namespace sluice::chat
