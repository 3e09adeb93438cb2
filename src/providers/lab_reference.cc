#include "providers/lab_reference.h"

#include <fmt/format.h>
#include <string_view>

#include "providers/lab_faults.h"
#include "providers/lab_models.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kIntroduction = R"(# The lab

<!-- Made from the lab's own tables by `sluice lab --reference`. Do not edit. -->

A fake provider of the OpenAI dialect inside the binary: deterministic, strict, fast, and able to fail in every
way that real providers do. `make run` without a provider key uses it; on a port of its own it stands in for a
provider, to try fallback rules before a real outage does.

```sh test=lab
sluice lab --listen 127.0.0.1:9000
```

No model is asked, and every reply says so in its `system_fingerprint`. The same request and `--seed` give the
same reply. Any key is good, but one that begins with `invalid`. What the real provider rejects, the lab rejects,
with the provider's own error shape.

| path | what |
| --- | --- |
| `POST /v1/chat/completions`, `/v1/completions`, `/v1/embeddings` | as the provider's |
| `GET /v1/models` | the models below |
| `GET /lab/meter` | what was asked, given and charged: the third view beside the client's and the ledger's |
| `POST /lab/meter/reset` | forget all of that, and what `fail-first-N` has counted |
| `GET /lab/last` | the last request as it arrived; of a credential only its last four characters |

## Models

With or without `lab/` in front. Prices are dollars per million tokens: input, cached input, output. They are what
the lab's own meter asks.

| model | what it does | price |
| --- | --- | --- |
)";

constexpr std::string_view kFaults = R"(
## Faults

A fault is asked for by the name of the model, alone (`lab/reset-after-3`) or behind a model and other faults
(`lab/chat+tokens-60+reset-after-3`), or by the header `x-lab-fault` (`reset-after-3, tokens-60`). Capitals stand
for numbers. Behind a gateway the header must be allowed through (`pass_headers`).
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
  out += kFaults;
  std::string_view group;
  for (const LabFault& fault : lab_faults()) {
    if (fault.group != group) {
      group = fault.group;
      out += fmt::format("\n### {}\n\n| fault | what happens |\n| --- | --- |\n", group);
    }
    out += fmt::format("| `{}` | {} |\n", fault.pattern, fault.doc);
  }
  return out;
}

}  // namespace sluice::providers
