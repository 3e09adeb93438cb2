// A value, or the error that stands in its place. For everything a network, a client, a file or a
// provider can cause; exceptions are for start-up and for bugs. Named after std::expected, which
// the pinned library lacks.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/outcome.h"

namespace sluice {

// What went wrong, in words a caller may show to a client: never a secret, never a stack trace.
// One pointer wide beside the outcome, so that a Result in an idle coroutine frame stays small.
class Error {
 public:
  Error(Outcome outcome, std::string message) : Error(outcome, std::move(message), "") {}
  // `param` names the field at fault ("messages[2].content", "server.listen"); empty where there is
  // none.
  Error(Outcome outcome, std::string message, std::string param)
      : outcome_(outcome),
        words_(std::make_unique<Words>(Words{std::move(message), std::move(param)})) {}

  Outcome outcome() const { return outcome_; }
  const std::string& message() const { return words_->message; }
  const std::string& param() const { return words_->param; }

 private:
  struct Words {
    std::string message;
    std::string param;
  };
  Outcome outcome_;
  std::unique_ptr<Words> words_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  bool has_value() const { return state_.index() == 0; }

  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

  Error& error() & { return *std::get_if<1>(&state_); }
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : state_(std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  bool has_value() const { return state_.index() == 0; }
  Error& error() & { return *std::get_if<1>(&state_); }
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<std::monostate, Error> state_;
};

}  // namespace sluice
