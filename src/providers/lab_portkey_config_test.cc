#include "providers/lab_portkey_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> errors(std::string_view json) {
  return read_lab_portkey_config(json).errors;
}

TEST(LabPortkeyConfig, AFullConfigIsGood) {
  const LabPortkeyConfig config = read_lab_portkey_config(
      R"({"strategy":{"mode":"fallback","on_status_codes":[429,500]},)"
      R"("retry":{"attempts":3,"on_status_codes":[429],"use_retry_after_headers":true},)"
      R"("cache":{"mode":"simple","max_age":3600},"request_timeout":10000,"targets":[)"
      R"({"name":"a","provider":"@lab","override_params":{"model":"lab/fast"}},)"
      R"({"name":"b","provider":"anthropic","api_key":"sk","custom_host":"https://h/v1"}]})");
  EXPECT_THAT(config.errors, IsEmpty());
  EXPECT_EQ(config.option, "config.targets[0]");
  EXPECT_EQ(config.provider, "@lab");
  EXPECT_EQ(config.model, "lab/fast");
  EXPECT_TRUE(config.caches);
  EXPECT_EQ(config.retries, 3);
  EXPECT_EQ(config.timeout_ms, 10'000);
}

TEST(LabPortkeyConfig, ATargetOfItsOwnSettingsKeepsThem) {
  const LabPortkeyConfig config = read_lab_portkey_config(
      R"({"strategy":{"mode":"loadbalance"},"request_timeout":1000,"targets":[)"
      R"({"provider":"@lab","weight":0},{"request_timeout":50,"strategy":{"mode":"single"},)"
      R"("targets":[{"virtual_key":"prod-claude-primary"}]}]})");
  EXPECT_EQ(config.option, "config.targets[1].targets[0]");
  EXPECT_EQ(config.provider, "@prod-claude-primary");
  EXPECT_EQ(config.timeout_ms, 50);
}

TEST(LabPortkeyConfig, AConditionalConfigServesByItsDefault) {
  const LabPortkeyConfig config = read_lab_portkey_config(
      R"({"strategy":{"mode":"conditional","default":"b","conditions":[)"
      R"({"query":{"metadata.tier":{"$eq":"gold"}},"then":"a"}]},)"
      R"("targets":[{"name":"a","provider":"@lab"},{"name":"b","provider":"@lab"}]})");
  EXPECT_THAT(config.errors, IsEmpty());
  EXPECT_EQ(config.option, "config.targets[1]");
}

TEST(LabPortkeyConfig, WhatIsNoJsonObjectIsToldApart) {
  EXPECT_FALSE(read_lab_portkey_config("{").is_json);
  EXPECT_FALSE(read_lab_portkey_config("pc-lab").is_json);
  EXPECT_FALSE(read_lab_portkey_config("[]").is_json);
  EXPECT_TRUE(read_lab_portkey_config("{}").is_json);
}

TEST(LabPortkeyConfig, AnUnknownModeIsWrong) {
  EXPECT_THAT(errors(R"({"strategy":{"mode":"random"},"targets":[{"provider":"@lab"}]})"),
              ElementsAre("path: strategy,mode, message: Invalid 'mode' value. Must be one of: "
                          "single, loadbalance, fallback, conditional"));
}

TEST(LabPortkeyConfig, EachRuleIsKept) {
  for (const auto& [json, where] : {
           std::pair(R"({"strategy":"fallback","targets":[{}]})", "path: strategy, "),
           {R"({"strategy":{"mode":"single"}})", "path: targets, "},
           {R"({"strategy":{},"targets":[{}]})", "path: strategy,mode, "},
           {R"({"targets":[{}]})", "path: strategy, "},
           {R"({"strategy":{"mode":"single"},"targets":[]})", "path: targets, "},
           {R"({"strategy":{"mode":"single"},"targets":["a"]})", "path: targets,0, "},
           {R"({"strategy":{"mode":"single"},"targets":[{"weight":"1"}]})",
            "path: targets,0,weight, "},
           {R"({"retry":{}})", "path: retry,attempts, message: Required"},
           {R"({"retry":{"attempts":6}})", "path: retry,attempts, "},
           {R"({"retry":{"attempts":1,"on_status_codes":["429"]}})",
            "path: retry,on_status_codes, "},
           {R"({"retry":5})", "path: retry, message: Expected object"},
           {R"({"cache":{"mode":"fast"}})", "path: cache,mode, "},
           {R"({"cache":{"mode":"simple","max_age":59}})", "path: cache,max_age, "},
           {R"({"cache":{"max_age":60}})", "path: cache,mode, "},
           {R"({"request_timeout":0})", "path: request_timeout, "},
           {R"({"request_timeout":"10"})", "path: request_timeout, "},
           {R"({"custom_host":"https://api.portkey.ai/v1"})", "path: custom_host, "},
           {R"({"cb_config":{"failure_threshold":1,"cooldown_interval":1000}})",
            "path: cb_config,cooldown_interval, "},
           {R"({"override_params":[]})", "path: override_params, "},
           {R"({"drop_params":[1]})", "path: drop_params, "},
           {R"({"strategy":{"mode":"conditional","default":"a"},"targets":[{"name":"a"}]})",
            "path: strategy,conditions, "},
           {R"({"strategy":{"mode":"conditional","default":"x","conditions":[)"
            R"({"query":{},"then":"a"}]},"targets":[{"name":"a"}]})",
            "path: strategy,default, "},
           {R"({"strategy":{"mode":"conditional","default":"a","conditions":[)"
            R"({"query":{},"then":"x"}]},"targets":[{"name":"a"}]})",
            "path: strategy,conditions,0,then, "},
       }) {
    EXPECT_THAT(errors(json), ElementsAre(HasSubstr(where))) << json;
  }
}

TEST(LabPortkeyConfig, TargetsMayNotBeNestedWithoutEnd) {
  std::string json = R"({"provider":"@lab"})";
  for (int i = 0; i < 9; ++i) json = R"({"strategy":{"mode":"single"},"targets":[)" + json + "]}";
  EXPECT_THAT(errors(json), ElementsAre(HasSubstr("too deeply")));
}

}  // namespace
}  // namespace sluice::providers
