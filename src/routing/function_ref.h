// A callable that its owner lends for the length of a call: two pointers, nothing allocated.
// Borrows: the callable must outlive the reference.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace sluice::routing {

template <class Signature>
class FunctionRef;

template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  FunctionRef() = default;  // nothing to call
  // From a named callable only: a temporary would be gone before the call.
  template <class F>
    requires(!std::is_same_v<std::remove_cv_t<F>, FunctionRef> &&
             std::is_invocable_r_v<R, F&, Args...>)
  FunctionRef(F& callable)
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* object, Args... args) -> R {
          return (*static_cast<F*>(object))(std::forward<Args>(args)...);
        }) {}

  explicit operator bool() const { return call_ != nullptr; }
  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_ = nullptr;
  R (*call_)(void*, Args...) = nullptr;
};

}  // namespace sluice::routing
