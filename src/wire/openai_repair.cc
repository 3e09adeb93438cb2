// Writing a chunk again so that strict clients can read it. The rare path: it walks a payload that
// was validated before, and copies what it does not have to change.
#include <string>

#include "wire/openai_chunk.h"

namespace sluice::openai {
namespace {

using json::Reader;
using json::Text;
using json::Type;

// Writes an object member by member.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }
  // The key, raw; the value is the caller's to append next.
  void key(std::string_view raw) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += raw;
    out_ += "\":";
  }

 private:
  std::string& out_;
  bool first_ = true;
};

class Rewriter {
 public:
  Rewriter(std::string& out, std::string_view payload, const Repair& repair)
      : out_(out), reader_(payload), repair_(repair), roles_(*repair.roles_sent) {}

  void chunk();

 private:
  bool chat() const { return repair_.endpoint == chat::Endpoint::Chat; }
  void copy_value();
  void choices();
  void choice(int64_t position);
  int64_t index_of_choice(int64_t position);
  void delta(int64_t index);
  void content();
  void join_parts(std::string* joined);
  bool drops_all_calls() const;
  void tool_calls();
  void tool_call(const ToolDecision& decision);
  void tool_function(const ToolDecision& decision);

  std::string& out_;
  Reader reader_;
  const Repair& repair_;
  ChoiceSet roles_;
  size_t next_call_ = 0;
};

// Line ends can only stand between tokens; in an event they would end the data.
void append_one_line(std::string& out, std::string_view text) {
  for (const char c : text) out += c == '\n' || c == '\r' ? ' ' : c;
}

void Rewriter::copy_value() {
  reader_.peek();
  const char* start = reader_.pointer();
  reader_.skip();
  append_one_line(out_, reader_.since(start));
}

void Rewriter::chunk() {
  append_identity(out_, repair_.endpoint, repair_.identity);
  bool has_choices = false;
  Text key;
  reader_.open_object();
  while (reader_.next_member(&key)) {
    const std::string_view raw = key.raw;
    if (raw == "id" || raw == "object" || raw == "created" || raw == "model") {
      reader_.skip();
    } else if (raw == "choices") {
      has_choices = true;
      out_ += R"(,"choices":)";
      choices();
    } else {
      const bool is_usage = raw == "usage";
      if (is_usage && repair_.usage == UsageMember::Remove) {
        reader_.skip();
        continue;
      }
      out_ += ",\"";
      out_ += raw;
      out_ += "\":";
      if (is_usage && repair_.usage == UsageMember::Null) {
        reader_.skip();
        out_ += "null";
      } else {
        copy_value();
      }
    }
  }
  if (!has_choices) out_ += R"(,"choices":[])";
  out_ += '}';
}

void Rewriter::choices() {
  if (reader_.peek() != Type::Array) {
    reader_.skip();
    out_ += "[]";
    return;
  }
  reader_.open_array();
  out_ += '[';
  for (int64_t position = 0; reader_.next_element(); ++position) {
    if (position > 0) out_ += ',';
    choice(position);
  }
  out_ += ']';
}

// Looks ahead: the index may stand behind the delta that needs it.
int64_t Rewriter::index_of_choice(int64_t position) {
  Reader ahead = reader_;
  Text key;
  int64_t index = -1;
  ahead.open_object();
  while (ahead.next_member(&key)) {
    std::string_view digits;
    if (key.raw == "index" && ahead.peek() == Type::Number) {
      ahead.number(&digits);
      index = json::to_integer(digits).value_or(-1);
    } else {
      ahead.skip();
    }
  }
  return index < 0 ? position : index;
}

void Rewriter::choice(int64_t position) {
  const int64_t index = index_of_choice(position);
  ObjectWriter object(out_);
  object.key("index");
  out_ += std::to_string(index);
  bool has_delta = false;
  Text key;
  reader_.open_object();
  while (reader_.next_member(&key)) {
    if (key.raw == "index") {
      reader_.skip();
    } else if (key.raw == "delta" && chat()) {
      if (reader_.peek() != Type::Object || has_delta) {
        reader_.skip();
        continue;
      }
      has_delta = true;
      object.key(key.raw);
      delta(index);
    } else {
      object.key(key.raw);
      copy_value();
    }
  }
  if (chat() && !has_delta) {
    object.key("delta");
    out_ += roles_.has(index) ? "{}" : R"({"role":"assistant"})";
    roles_.add(index);
  }
  object.close();
}

void Rewriter::delta(int64_t index) {
  Reader ahead = reader_;
  Text key;
  bool has_role = roles_.has(index);
  ahead.open_object();
  while (ahead.next_member(&key)) {
    has_role |= key.raw == "role" && ahead.peek() == Type::String;
    ahead.skip();
  }
  ObjectWriter object(out_);
  if (!has_role) {
    object.key("role");
    out_ += R"("assistant")";
  }
  roles_.add(index);
  reader_.open_object();
  while (reader_.next_member(&key)) {
    const Type type = reader_.peek();
    if (key.raw == "role" && type != Type::String) {
      reader_.skip();
    } else if (key.raw == "content") {
      object.key(key.raw);
      content();
    } else if (key.raw == "tool_calls" && type == Type::Array && repair_.tools != nullptr) {
      if (!drops_all_calls()) object.key(key.raw);
      tool_calls();
    } else {
      object.key(key.raw);
      copy_value();
    }
  }
  object.close();
}

void Rewriter::content() {
  if (reader_.peek() != Type::Array) {
    copy_value();
    return;
  }
  std::string joined;
  join_parts(&joined);
  out_ += '"';
  out_ += joined;
  out_ += '"';
}

// The text of an array of parts, as JSON text without quotes.
void Rewriter::join_parts(std::string* joined) {
  Text text;
  Text key;
  reader_.open_array();
  while (reader_.next_element()) {
    const Type type = reader_.peek();
    if (type == Type::String) {
      reader_.string(&text);
      *joined += text.raw;
    } else if (type == Type::Object) {
      reader_.open_object();
      while (reader_.next_member(&key)) {
        if (key.raw == "text" && reader_.peek() == Type::String) {
          reader_.string(&text);
          *joined += text.raw;
        } else {
          reader_.skip();
        }
      }
    } else {
      reader_.skip();
    }
  }
}

// Whether nothing is left of the array of calls the reader stands before.
bool Rewriter::drops_all_calls() const {
  Reader ahead = reader_;
  size_t call = next_call_;
  ahead.open_array();
  while (ahead.next_element()) {
    if (repair_.tools->decisions[call++].action != ToolDecision::Action::Drop) return false;
    ahead.skip();
  }
  return true;
}

void Rewriter::tool_calls() {
  const bool nothing = drops_all_calls();
  bool first = true;
  reader_.open_array();
  if (!nothing) out_ += '[';
  while (reader_.next_element()) {
    const ToolDecision& decision = repair_.tools->decisions[next_call_++];
    if (decision.action == ToolDecision::Action::Drop) {
      reader_.skip();
      continue;
    }
    if (!first) out_ += ',';
    first = false;
    if (decision.action == ToolDecision::Action::Keep) {
      copy_value();
    } else {
      tool_call(decision);
    }
  }
  if (!nothing) out_ += ']';
}

void Rewriter::tool_call(const ToolDecision& decision) {
  ObjectWriter object(out_);
  object.key("index");
  out_ += std::to_string(decision.index);
  if (decision.first) {
    object.key("id");
    out_ += '"';
    out_ += decision.id;
    out_ += '"';
  }
  bool has_type = false;
  bool custom = false;
  Text key;
  Text type;
  reader_.open_object();
  while (reader_.next_member(&key)) {
    if (key.raw == "index" || key.raw == "id") {
      reader_.skip();
    } else if (key.raw == "type") {
      type = {};
      if (reader_.peek() != Type::String) {
        reader_.skip();
      } else if (reader_.string(&type) && !type.empty()) {
        has_type = true;
        object.key(key.raw);
        out_ += '"';
        out_ += type.raw;
        out_ += '"';
      }
    } else if ((key.raw == "function" || key.raw == "custom") && reader_.peek() == Type::Object) {
      custom = key.raw == "custom";
      object.key(key.raw);
      tool_function(decision);
    } else {
      object.key(key.raw);
      copy_value();
    }
  }
  if (decision.first && !has_type) {
    object.key("type");
    out_ += custom ? R"("custom")" : R"("function")";
  }
  object.close();
}

void Rewriter::tool_function(const ToolDecision& decision) {
  ObjectWriter object(out_);
  bool has_arguments = false;
  Text key;
  Text text;
  reader_.open_object();
  while (reader_.next_member(&key)) {
    if (key.raw == "name" && !decision.first) {
      reader_.skip();
      continue;
    }
    object.key(key.raw);
    if (key.raw != "arguments" && key.raw != "input") {
      copy_value();
      continue;
    }
    has_arguments = true;
    const Type type = reader_.peek();
    const char* start = reader_.pointer();
    if (type == Type::String) {
      reader_.string(&text);
      out_ += '"';
      out_ += decision.held;
      out_ += text.raw;
      out_ += '"';
      continue;
    }
    reader_.skip();
    out_ += '"';
    out_ += decision.held;
    if (type != Type::Null) {
      std::string quoted;
      json::append_quoted(quoted, reader_.since(start));
      out_.append(quoted, 1, quoted.size() - 2);
    }
    out_ += '"';
  }
  if (!has_arguments && decision.first) {
    object.key("arguments");
    out_ += '"';
    out_ += decision.held;
    out_ += '"';
  }
  object.close();
}

}  // namespace

std::string_view object_of(chat::Endpoint endpoint) {
  return endpoint == chat::Endpoint::Chat ? R"("chat.completion.chunk")" : R"("text_completion")";
}

void append_identity(std::string& out, chat::Endpoint endpoint, const Identity& identity) {
  out += R"({"id":)";
  out += identity.id;
  out += R"(,"object":)";
  out += object_of(endpoint);
  out += R"(,"created":)";
  out += identity.created;
  out += R"(,"model":)";
  out += identity.model;
}

void append_repaired(std::string& out, std::string_view payload, const Repair& repair) {
  Rewriter(out, payload, repair).chunk();
}

}  // namespace sluice::openai
