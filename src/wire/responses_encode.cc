// Encoding a request for an upstream of the same dialect.
#include "wire/json.h"
#include "wire/responses.h"

namespace sluice::responses {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

// What has to go with an element of an array so that its comma goes too: the comma before it, or
// for a first element the one after it. Before `done` everything is gone already.
chat::Span with_comma(std::string_view body, chat::Span element, size_t done) {
  const size_t before = body.find_last_not_of(kSpace, element.begin - 1);
  if (before >= done && body[before] == ',') return {static_cast<uint32_t>(before), element.end};
  const size_t after = body.find_first_not_of(kSpace, element.end);
  if (body[after] == ',') return {element.begin, static_cast<uint32_t>(after + 1)};
  return element;
}

// The body without those elements, under another model's name.
std::string without(const chat::Request& request, std::string_view model) {
  const std::string_view body = request.body;
  const chat::Span name = request.model_value;
  std::string out;
  out.reserve(body.size() + model.size());
  size_t done = 0;
  const auto keep_until = [&](size_t end) {
    if (done <= name.begin && name.end <= end) {
      out += body.substr(done, name.begin - done);
      json::append_quoted(out, model);
      done = name.end;
    }
    out += body.substr(done, end - done);
    done = end;
  };
  for (const chat::Span element : request.references->own_reasoning) {
    const chat::Span gone = with_comma(body, element, done);
    keep_until(gone.begin);
    done = gone.end;
  }
  keep_until(body.size());
  return out;
}

}  // namespace

openai::Pieces encode_request(const chat::Request& request, std::string_view model) {
  if (!request.references || request.references->own_reasoning.empty()) {
    return openai::encode_request(request, {.model = model});
  }
  openai::Pieces pieces;
  pieces.add_owned(without(request, model));
  return pieces;
}

}  // namespace sluice::responses
