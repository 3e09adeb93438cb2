// The fields of a JSON object, taken with the checks of a provider and in its words
// (lab_wording.h). The first thing that is wrong is kept; what is asked for after that comes back
// empty.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>

#include "providers/lab_error.h"
#include "providers/lab_wording.h"

namespace sluice::providers {

class LabFields {
 public:
  using Element = simdjson::dom::element;
  using Object = simdjson::dom::object;
  using Array = simdjson::dom::array;

  // `path` stands before the names in `param`: "messages[0]." or nothing. `error` is shared by the
  // readers of one request.
  LabFields(Object object, std::string path, std::optional<LabError>& error,
            const LabWording& wording = kLabOpenAiWording)
      : object_(object), path_(std::move(path)), error_(error), wording_(wording) {}

  bool failed() const { return error_.has_value(); }
  // Present and not null.
  std::optional<Element> find(std::string_view key) const;
  bool is_null(std::string_view key) const;

  // Optional fields: absent and null are the same.
  std::optional<std::string_view> text(std::string_view key);
  std::optional<std::string_view> word(std::string_view key,
                                       std::initializer_list<std::string_view> allowed);
  std::optional<bool> boolean(std::string_view key);
  std::optional<int64_t> integer(std::string_view key, int64_t least, int64_t most);
  std::optional<double> number(std::string_view key, double least, double most);
  std::optional<Object> object(std::string_view key);
  std::optional<Array> array(std::string_view key);

  // Required fields: absent is an error.
  std::optional<std::string_view> required_text(std::string_view key);
  std::optional<Array> required_array(std::string_view key);
  bool require(std::string_view key);
  std::optional<Object> required_object(std::string_view key);
  // Refuses the first member that is none of these.
  void only(std::initializer_list<std::string_view> allowed);

  // Members of `inside`, which stands at `key` of this object.
  LabFields at(std::string_view key, Object inside) {
    return {inside, path_of(key) + ".", error_, wording_};
  }

  // The same of one element of an array, which must be an object: `key` is "content[2]".
  std::optional<LabFields> element(std::string_view key, Element one);
  Object members() const { return object_; }

  void refuse(LabError error);
  void refuse(std::string code, std::string_view key, std::string message);
  void refuse_type(std::string_view key, std::string_view expected, Element found);
  std::string path_of(std::string_view key) const { return path_ + std::string(key); }
  std::optional<LabError>& error() { return error_; }

 private:
  Object object_;
  std::string path_;
  std::optional<LabError>& error_;
  const LabWording& wording_;
};

}  // namespace sluice::providers
