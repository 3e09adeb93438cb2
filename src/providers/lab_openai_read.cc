#include "providers/lab_openai_read.h"

#include <fmt/format.h>

#include "providers/lab_fields.h"
#include "providers/lab_messages.h"
#include "providers/lab_request.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using simdjson::dom::element;

constexpr int64_t kMaxChoices = 128;
constexpr int64_t kMaxTokens = 1'000'000;
constexpr size_t kMaxInputs = 2048;

void read_stop(LabFields& fields, LabRequest& request) {
  const auto stop = fields.find("stop");
  if (!stop) return;
  std::string_view one;
  if (stop->get(one) == simdjson::SUCCESS) {
    request.stops.emplace_back(one);
    return;
  }
  simdjson::dom::array list;
  if (stop->get(list) != simdjson::SUCCESS) {
    fields.refuse_type("stop", "a string or an array of strings", *stop);
    return;
  }
  if (list.size() > 4) {
    fields.refuse("array_above_max_length", "stop",
                  fmt::format("Invalid 'stop': array too long. Expected an array with maximum "
                              "length 4, but got an array with length {} instead.",
                              list.size()));
    return;
  }
  for (const element item : list) {
    if (item.get(one) != simdjson::SUCCESS) {
      fields.refuse_type("stop", "an array of strings", item);
      return;
    }
    request.stops.emplace_back(one);
  }
}

void read_stream(LabFields& fields, LabRequest& request) {
  request.stream = fields.boolean("stream").value_or(false);
  const auto options = fields.object("stream_options");
  if (!options) return;
  if (!request.stream) {
    fields.refuse("", "stream_options",
                  "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
    return;
  }
  LabFields inner(*options, "stream_options.", fields.error());
  request.include_usage = inner.boolean("include_usage").value_or(false);
  inner.boolean("include_obfuscation");
}

// The fields that chat and completions share.
void read_sampling(LabFields& fields, LabRequest& request) {
  fields.number("frequency_penalty", -2, 2);
  fields.number("presence_penalty", -2, 2);
  const auto temperature = fields.number("temperature", 0, 2);
  fields.number("top_p", 0, 1);
  fields.object("logit_bias");
  fields.integer("seed", INT64_MIN, INT64_MAX);
  request.choices = fields.integer("n", 1, kMaxChoices).value_or(1);
  read_stop(fields, request);
  read_stream(fields, request);
  if (request.traits.reasoning > 0 && temperature.value_or(1) != 1) {
    fields.refuse("unsupported_value", "temperature",
                  fmt::format("Unsupported value: 'temperature' does not support {} with this "
                              "model. Only the default (1) value is supported.",
                              *temperature));
  }
}

void read_limits(LabFields& fields, LabRequest& request) {
  const auto old = fields.integer("max_tokens", 1, kMaxTokens);
  const auto now = fields.integer("max_completion_tokens", 1, kMaxTokens);
  if (old && request.traits.reasoning > 0) {
    fields.refuse("unsupported_parameter", "max_tokens",
                  "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                  "'max_completion_tokens' instead.");
  }
  request.max_tokens = now ? now : old;
}

// A prompt or an input: a string, several, one list of token numbers or several. `visit` is called
// with the text of each (tokens as they were written) and how many tokens it has.
template <class Visit>
void each_text(LabFields& fields, std::string_view key, Visit visit) {
  const auto value = fields.find(key);
  if (!value) return;
  std::string_view text;
  simdjson::dom::array list;
  if (value->get(text) == simdjson::SUCCESS) {
    visit(text, lab_count_tokens(text));
    return;
  }
  if (value->get(list) != simdjson::SUCCESS) {
    fields.refuse_type(key, "a string or an array", *value);
    return;
  }
  const bool numbers = list.size() > 0 && (*list.begin()).is_int64();
  if (numbers) {
    visit(simdjson::minify(list), static_cast<int64_t>(list.size()));
    return;
  }
  for (const element item : list) {
    simdjson::dom::array inner;
    if (item.get(text) == simdjson::SUCCESS) {
      visit(text, lab_count_tokens(text));
    } else if (item.get(inner) == simdjson::SUCCESS) {
      visit(simdjson::minify(inner), static_cast<int64_t>(inner.size()));
    } else {
      fields.refuse_type(key, "an array of strings or of integers", item);
      return;
    }
  }
}

}  // namespace

void read_lab_metadata(LabFields& fields) {
  const auto metadata = fields.object("metadata");
  if (!metadata) return;
  if (metadata->size() > 16) {
    fields.refuse("object_above_max_properties", "metadata",
                  fmt::format("Invalid 'metadata': too many properties. Expected at most 16, but "
                              "got {} instead.",
                              metadata->size()));
    return;
  }
  for (const auto [key, value] : *metadata) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
      fields.refuse_type(fmt::format("metadata.{}", key), "a string", value);
    } else if (key.size() > 64 || text.size() > 512) {
      fields.refuse("string_above_max_length", "metadata",
                    "Invalid 'metadata': keys have at most 64 characters, values at most 512.");
    }
  }
}

void read_lab_chat(LabFields& fields, LabRequest& request) {
  read_lab_messages(fields, request);
  read_sampling(fields, request);
  read_limits(fields, request);
  read_lab_tools(fields, request);
  read_lab_format(fields, request);
  read_lab_metadata(fields);
  const bool logprobs = fields.boolean("logprobs").value_or(false);
  if (fields.integer("top_logprobs", 0, 20) && !logprobs) {
    fields.refuse("", "top_logprobs",
                  "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.");
  }
  fields.word("reasoning_effort", {"none", "minimal", "low", "medium", "high", "xhigh", "max"});
  fields.word("verbosity", {"low", "medium", "high"});
  fields.word("service_tier", {"auto", "default", "flex", "scale", "priority", "fast"});
  fields.boolean("store");
}

void read_lab_completion(LabFields& fields, LabRequest& request) {
  each_text(fields, "prompt", [&request](std::string_view text, int64_t tokens) {
    request.last_user_text = text;
    request.add_part(text, tokens);
  });
  if (request.parts.empty()) request.add_part("", 0);
  read_sampling(fields, request);
  request.max_tokens = fields.integer("max_tokens", 0, kMaxTokens).value_or(16);
  fields.integer("best_of", 1, kMaxChoices);
  fields.integer("logprobs", 0, 5);
  fields.text("suffix");
  request.echo = fields.boolean("echo").value_or(false);
}

void read_lab_embedding(LabFields& fields, LabRequest& request) {
  if (!fields.require("input")) return;
  if (fields.is_null("input")) {
    fields.refuse("invalid_type", "input",
                  "Invalid type for 'input': expected a string or an array, but got null instead.");
    return;
  }
  size_t empty = 0;
  each_text(fields, "input", [&](std::string_view text, int64_t tokens) {
    request.hash = 0;  // an embedding depends on its own input alone
    empty += tokens == 0 ? 1 : 0;
    request.add_part(text, tokens);
  });
  if (!fields.failed() && (request.parts.empty() || empty > 0)) {
    fields.refuse("invalid_value", "input", "Invalid 'input': input cannot be empty.");
  } else if (request.parts.size() > kMaxInputs) {
    fields.refuse("array_above_max_length", "input",
                  "Invalid 'input': array too long. Expected at most 2048 inputs.");
  }
  request.dimensions = fields.integer("dimensions", 1, 3072).value_or(0);
  request.base64 = fields.word("encoding_format", {"float", "base64"}) == "base64";
}

}  // namespace sluice::providers
