#include "providers/lab_reference.h"

#include <fmt/format.h>
#include <string_view>

#include "providers/lab_faults.h"
#include "providers/lab_models.h"
#include "providers/lab_reference_routers.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kIntroduction = R"(# The lab

<!-- Made from the lab's own tables by `sluice lab --reference`. Do not edit. -->

A fake provider inside the binary, with the dialects of OpenAI and Anthropic: deterministic, strict, fast, and able to fail in every
way that real providers do. `make run` without a provider key uses it; on a port of its own it stands in for a
provider, to try fallback rules before a real outage does.

```sh test=lab
sluice lab --listen 127.0.0.1:9000
```

No model is asked: ids contain `lab`, and `system_fingerprint` or the header `anthropic-organization-id` says so.
The same request and `--seed` give the same reply. Any key is good, but one that begins with `invalid`. What the real
provider rejects, the lab rejects, with the provider's own error shape.

| path | what |
| --- | --- |
| `POST /v1/chat/completions`, `/v1/completions`, `/v1/embeddings` | as OpenAI's; also below `/openai/v1` |
| `POST /v1/responses`, `/v1/responses/input_tokens` | the same; what is stored is known to the same key only |
| `GET`, `DELETE /v1/responses/{id}`, `POST /v1/responses/{id}/cancel`, `GET /v1/responses/{id}/input_items` | of what was stored; with `background` it is in progress for as long as its model takes to say it |
| `POST /anthropic/v1/messages`, `/anthropic/v1/messages/count_tokens` | as Anthropic's, versions `2023-06-01` and `2026-10-21` |
| `GET /v1/models`, `/anthropic/v1/models`, each with `/{id}` | the models below |
| `GET /lab/requests?since=N` | a line of JSON for each finished request after number N: `x-request-id` as it came, model, end, tokens, cost; the newest 200,000, at most 10,000 at once |
| `GET /lab/meter` | what was asked, given and charged: the third view beside the client's and the ledger's |
| `POST /lab/meter/reset` | forget all of that, and what `fail-first-N` has counted |
| `GET /lab/last` | the last request as it arrived; of a credential only its last four characters |

## Models

With or without `lab/` in front; every face serves all of them. Prices are dollars per million tokens: input, cached
input, output; writing the cache costs 1.25 times the input, for an hour twice. They are what the lab's own meter asks;
`--price-factor 2` doubles them all.

| model | what it does | price |
| --- | --- | --- |
)";

constexpr std::string_view kFaults = R"(
## Faults

A fault is asked for by the name of the model, alone (`lab/reset-after-3`) or behind a model and other faults
(`lab/chat+tokens-60+reset-after-3`), or by the header `x-lab-fault` (`reset-after-3, tokens-60`). Capitals stand
for numbers. Behind a gateway the header must be allowed through (`pass_headers`).

A provider that is sick without being asked: `--fault status-503=5% --fault reset=1%` lets these strike that share of
all requests, and `--seed` decides which; `--fault silent` strikes all.

Faults are the same on every face and take the shape of its dialect: the finish is `finish_reason`, `message_delta` or
`response.completed`; the end is `[DONE]` or `message_stop`; an error in a stream is an error object, an event
`error` or `response.failed`. What a dialect does not have (`choices`, late ids, usage chunks of Responses) changes
nothing there.
)";

// Nano-dollars per token as dollars per million.
std::string dollars(int64_t nanos) {
  return fmt::format("{:g}", static_cast<double>(nanos) / 1000);
}

}  // namespace

std::string lab_reference_page() {
  std::string out(kIntroduction);
  for (const LabModel& model : lab_models()) {
    out += fmt::format("| `lab/{}` | {} | {}, {}, {} |\n", model.name, model.doc,
                       dollars(model.price.input), dollars(model.price.cached_input),
                       dollars(model.price.output));
  }
  out += lab_reference_routers();
  out += kFaults;
  std::string_view group;
  for (const std::span<const LabFault> table : lab_fault_tables()) {
    for (const LabFault& fault : table) {
      if (fault.group != group) {
        group = fault.group;
        out += fmt::format("\n### {}\n\n| fault | what happens |\n| --- | --- |\n", group);
      }
      out += fmt::format("| `{}` | {} |\n", fault.pattern, fault.doc);
    }
  }
  return out;
}

}  // namespace sluice::providers
