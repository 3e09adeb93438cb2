#include "wire/openai_write_embeddings.h"

#include <bit>
#include <utility>

#include "base/base64.h"
#include "wire/json.h"
#include "wire/openai.h"
#include "wire/openai_conversation_json.h"
#include "wire/openai_write_json.h"

namespace sluice::openai {

using json::Type;

namespace {

// False if they are no text.
bool take_inputs(json::Reader& reader, std::vector<std::string>* inputs) {
  if (reader.peek() == Type::String) {
    inputs->push_back(take_text(reader));
    return true;
  }
  bool text = true;
  each_element(reader, [&] {
    text = text && reader.peek() == Type::String;
    inputs->push_back(take_text(reader));
  });
  return text;
}

std::string packed(std::string_view vector) {
  std::string bytes;
  json::Reader reader(vector);
  each_element(reader, [&] {
    const auto number = static_cast<float>(take_real(reader).value_or(0));
    const auto bits = std::bit_cast<uint32_t>(number);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xff);
  });
  return base64_encode(bytes);
}

}  // namespace

Result<EmbeddingsCall> read_embeddings(std::string_view body) {
  Result<chat::Request> request = decode_request(chat::Endpoint::Embeddings, body);
  if (!request) return std::move(request.error());
  EmbeddingsCall call;
  call.model = std::move(request->model);
  bool text = true;
  std::string format = "float";
  json::Reader reader(body);
  each_member(reader, [&](std::string_view key) {
    if (key == "input") {
      text = take_inputs(reader, &call.inputs);
    } else if (key == "encoding_format" && reader.peek() == Type::String) {
      format = take_text(reader);
    } else if (!take_raw(reader).empty() && key != "model" && key != "encoding_format") {
      call.unmapped.emplace_back(key);
    }
  });
  if (!text) {
    return Error(Outcome::BadRequest, "`input` holds tokens; the target takes text alone", "input");
  }
  if (format != "float" && format != "base64") {
    return Error(Outcome::BadRequest, "`encoding_format` must be \"float\" or \"base64\"",
                 "encoding_format");
  }
  call.base64 = format == "base64";
  return call;
}

std::string write_embeddings(const Embeddings& embeddings, bool base64) {
  std::string out;
  JsonWriter json(out);
  json.open_object().member("object", "list").key("data").open_array();
  int64_t index = 0;
  for (const std::string_view vector : embeddings.vectors) {
    json.open_object().member("object", "embedding").key("index").integer(index++);
    json.key("embedding");
    if (base64) {
      json.text(packed(vector));
    } else {
      json.raw(vector);
    }
    json.close_object();
  }
  json.close_array().member("model", embeddings.model);
  if (embeddings.tokens) {
    json.key("usage").open_object().key("prompt_tokens").integer(*embeddings.tokens);
    json.key("total_tokens").integer(*embeddings.tokens).close_object();
  }
  json.close_object();
  return out;
}

}  // namespace sluice::openai
