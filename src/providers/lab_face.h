// A face of the lab: whose rules, words, headers and bytes apply. The path of a request chooses it.
//
// A new provider is one more LabFace (most likely a changed copy of another) and its rows in the
// tables of lab_face.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http1.h"
#include "providers/lab_encoder.h"
#include "providers/lab_fields.h"
#include "providers/lab_request.h"

namespace sluice::providers {

// What the headers of a reply tell of.
struct LabReplyFacts {
  const LabRequest& request;
  std::string_view request_id;
  int64_t spent_ms = 0;
  int64_t wall_seconds = 0;
  int64_t prompt_tokens = 0;
  bool failed = false;  // the reply is an error
};

// What a GET gives.
struct LabPage {
  int status = 200;
  std::string headers;  // complete lines, beside Content-Type
  std::string body;     // JSON
};

struct LabFace {
  std::string_view name;
  std::string_view usual_model;  // where a name asks for faults alone
  const LabWording* wording;
  // Credentials, versions. Sets request.credential and what else the head decides.
  std::optional<LabError> (*check_head)(const net::RequestHead& head, LabRequest& request);
  // Reads everything but the model, which is there already. What is wrong goes to fields.refuse().
  void (*read)(LabFields& fields, LabRequest& request);
  // `hint` says what the lab knows instead.
  LabError (*no_model)(std::string_view model, std::string_view hint);
  // Prompt and reply do not fit: `tokens` in all.
  LabError (*too_long)(const LabRequest& request, const LabModel& model, int64_t tokens);
  // An error of a fault, or of the server, in this provider's own words.
  LabError (*reword)(LabError error);
  std::string (*error_body)(const LabError& error, std::string_view request_id);
  int overloaded;  // the status that says so
  // Complete lines.
  std::string (*headers)(const LabReplyFacts& facts);
  std::unique_ptr<LabEncoder> (*encoder)(const LabRequest& request, LabCompletion completion,
                                         const LabPlan& plan, LabPrice price);
  // The reply to a count of tokens.
  std::string (*count)(int64_t tokens);
  // Bodies of GET .../models and GET .../models/{id}; empty: there is no such path.
  std::string (*models)(std::string_view query);
  std::string (*model)(const LabModel& model);

  // What not every provider has; null: nothing of the kind.

  // Where a router sends a request: once the model's name is known, which it may change.
  void (*route)(LabFields& fields, LabRequest& request) = nullptr;
  // The model behind a name, without the faults behind it; null: the lab's own names.
  std::optional<LabModel> (*find_model)(std::string_view name, chat::Endpoint endpoint) = nullptr;
  // What this provider does in every reply.
  void (*habits)(const LabRequest& request, LabPlan& plan) = nullptr;
  std::string (*embeddings)(const LabRequest& request, const LabModel& model,
                            uint64_t seed) = nullptr;
  // An error about to be sent, as it leaves the provider or the gateway in front of it.
  void (*last_word)(const LabRequest& request, LabError& error) = nullptr;
  // GET of `rest`, before `models`; nothing: no such page. `request` has its arrival alone.
  std::optional<LabPage> (*page)(std::string_view rest, LabRequest& request) = nullptr;
};

struct LabRoute {
  const LabFace* face;
  std::string_view rest;                   // of the path behind the face's prefix: "/models"
  std::optional<chat::Endpoint> endpoint;  // of a POST
};

// `path` without the query. A path of no face is one of OpenAI's, as it was before there were
// faces: "/chat/completions".
LabRoute lab_route(std::string_view path);

}  // namespace sluice::providers
