#include "providers/wanted_field.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

std::string wanted(std::string_view body) {
  const auto field = read_wanted_field(read_error_body(body));
  if (!field) return "nothing";
  return std::string(field->reject) + " -> " + std::string(field->use);
}

TEST(WantedField, TR_2_IsReadFromEveryProvidersWords) {
  EXPECT_EQ(
      wanted(
          R"({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}})"),
      "max_tokens -> max_completion_tokens");
  EXPECT_EQ(
      wanted(
          R"({"error":{"message":"Unrecognized request argument supplied: max_completion_tokens","type":"invalid_request_error","param":null,"code":null}})"),
      "max_completion_tokens -> max_tokens");
  EXPECT_EQ(
      wanted(
          R"({"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted: max_completion_tokens"}]},"type":"invalid_request_error"})"),
      "max_completion_tokens -> max_tokens");
  EXPECT_EQ(
      wanted(
          R"({"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted"}]})"),
      "max_completion_tokens -> max_tokens");
  EXPECT_EQ(
      wanted(
          R"({"error":{"message":"Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.","param":"temperature","code":"unsupported_value"}})"),
      "temperature -> ");
  EXPECT_EQ(
      wanted(
          R"({"type":"error","error":{"type":"invalid_request_error","message":"`top_p` is deprecated for this model."}})"),
      "top_p -> ");
}

TEST(WantedField, AFieldWithAWrongValueIsNotOne) {
  EXPECT_EQ(
      wanted(
          R"({"error":{"message":"max_tokens is too large: 100000. This model supports at most 16384 completion tokens","param":"max_tokens","code":"invalid_value"}})"),
      "nothing");
  EXPECT_EQ(
      wanted(R"({"error":{"message":"temperature must be at most 2","param":"temperature"}})"),
      "nothing");
}

TEST(WantedField, AFieldThatCarriesMeaningIsNotLeftOut) {
  EXPECT_EQ(
      wanted(
          R"({"error":{"message":"Unsupported parameter: 'tools' is not supported with this model.","param":"tools","code":"unsupported_parameter"}})"),
      "nothing");
}

}  // namespace
}  // namespace sluice::providers
