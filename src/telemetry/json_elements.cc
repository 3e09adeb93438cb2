#include "telemetry/json_elements.h"

namespace sluice::telemetry {
namespace {

constexpr size_t kLongestRecord = 64 << 20;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

void JsonElements::end_record() {
  stopped_ = !on_record_(record_);
  record_.clear();
}

Result<void> JsonElements::open(char c) {
  if (mode_ == Mode::Outside) {
    mode_ = c == '{' ? Mode::Object : Mode::Elements;
    elements_depth_ = 1;
    key_.clear();
  } else if (mode_ == Mode::Object && depth_ == 1 && c == '[' && key_ == "data") {
    mode_ = Mode::Elements;
    elements_depth_ = 2;
    record_.clear();
  } else if (mode_ == Mode::Elements) {
    if (c != '{') return Error(Outcome::BadRequest, "an element of the list is no object");
    mode_ = Mode::Record;
  }
  ++depth_;
  if (mode_ == Mode::Object || mode_ == Mode::Record) record_ += c;
  return {};
}

void JsonElements::close() {
  --depth_;
  if (mode_ == Mode::Record && depth_ == elements_depth_) {
    mode_ = Mode::Elements;
    end_record();
  } else if (mode_ == Mode::Object && depth_ == 0) {
    mode_ = Mode::Outside;
    end_record();
  } else if (mode_ == Mode::Elements) {
    mode_ = depth_ == 0 ? Mode::Outside : Mode::Rest;
  } else if (mode_ == Mode::Rest && depth_ == 0) {
    mode_ = Mode::Outside;
  }
}

Result<void> JsonElements::take(char c) {
  const bool keeps = mode_ == Mode::Object || mode_ == Mode::Record;
  if (in_string_) {
    if (keeps) record_ += c;
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    } else if (mode_ == Mode::Object && depth_ == 1) {
      key_ += c;
    }
    return {};
  }
  if (c == '{' || c == '[') return open(c);
  if (c == '}' || c == ']') {
    if (depth_ == 0) return Error(Outcome::BadRequest, "a bracket closes nothing");
    if (keeps) record_ += c;
    close();
    return {};
  }
  if (is_space(c) || (mode_ == Mode::Elements && c == ',')) {
    if (keeps) record_ += c;
    return {};
  }
  if (mode_ == Mode::Outside || mode_ == Mode::Elements) {
    return Error(Outcome::BadRequest, "text where a record should begin");
  }
  if (c == '"') {
    in_string_ = true;
    if (mode_ == Mode::Object && depth_ == 1) key_.clear();
  }
  if (keeps) record_ += c;
  return {};
}

Result<void> JsonElements::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (stopped_) return {};
    if (auto taken = take(c); !taken) return taken;
    if (record_.size() > kLongestRecord) {
      return Error(Outcome::BadRequest, "a record is longer than 64 MiB");
    }
  }
  return {};
}

Result<void> JsonElements::finish() const {
  if (stopped_ || mode_ == Mode::Outside) return {};
  return Error(Outcome::BadRequest, "the file ends in the middle of a record");
}

}  // namespace sluice::telemetry
