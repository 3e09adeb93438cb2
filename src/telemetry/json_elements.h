// The records of a JSON file as it streams in: the elements of the array in the top-level member
// `data`, those of a top-level array, or one object a line. One record in memory, however long the
// file is.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::telemetry {

class JsonElements {
 public:
  // The text of one record, an object. False: stop; whoever said so knows why.
  using OnRecord = std::function<bool(std::string_view)>;

  explicit JsonElements(OnRecord on_record) : on_record_(std::move(on_record)) {}

  // What stands inside a record is not looked at beyond its brackets and strings. An error: text
  // where a record should be, a record of more than 64 MiB.
  Result<void> feed(std::string_view bytes);
  // An error if the file ends inside something.
  Result<void> finish() const;

 private:
  enum class Mode : uint8_t {
    Outside,   // of everything
    Object,    // in a top-level object: a record itself, unless it has `data`
    Elements,  // between the elements of the array
    Record,    // in one of those
    Rest,      // behind `data`, to the end of the object
  };

  Result<void> take(char c);
  Result<void> open(char c);
  void close();
  void end_record();

  OnRecord on_record_;
  Mode mode_ = Mode::Outside;
  int depth_ = 0;
  int elements_depth_ = 0;  // depth between the elements
  bool in_string_ = false;
  bool escaped_ = false;
  bool stopped_ = false;
  std::string key_;     // the last string directly in the top-level object
  std::string record_;  // what came of it
};

}  // namespace sluice::telemetry
