#include "providers/lab_reference_routers.h"

#include <fmt/format.h>

#include "providers/lab_portkey_route.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kSnowflake = R"(
## Snowflake Cortex

Below `/snowflake`, in Snowflake's own shape of an error and with `X-Snowflake-Request-ID`.

| path | what |
| --- | --- |
| `POST /snowflake/api/v2/cortex/v1/chat/completions` | OpenAI's dialect; `max_tokens` is refused, `max_completion_tokens` goes to 131072 |
| `POST /snowflake/api/v2/cortex/v1/messages` | Anthropic's dialect; models whose name begins with `claude` |
| `POST /snowflake/api/v2/cortex/inference:complete` | its own; streams unless `stream` is false, and ends without `[DONE]` |
| `POST /snowflake/api/v2/cortex/inference:embed` | its own; a vector in a list for each text |
| `GET /snowflake/api/v2/cortex/models` | the names it knows, `claude-sonnet-4-5` and others; the lab's own names are good too |

| token | good |
| --- | --- |
| `KEYPAIR_JWT` | signed by a key registered with `--snowflake-account`, `--snowflake-user` and `--snowflake-public-key`; else 401, code 390144 |
| `PROGRAMMATIC_ACCESS_TOKEN` | the one of `--snowflake-pat`: `pat-lab` |
| `OAUTH` | begins with `oauth-` |

The type comes from `X-Snowflake-Authorization-Token-Type`, else from the look of the token. A good token that ends
with `-norole`, and a user that ends with `_NOROLE`, gets 403. What is wrong with a token is told by `GET /lab/last`
only, as `refused`. The meter counts texts as `embedded_texts`, and the most that one call had as
`most_texts_per_call`.

### SQL API

| path | what |
| --- | --- |
| `POST /snowflake/api/v2/statements?requestId=UUID` | runs a statement; with `retry=true` one that ran is not run again, and has its first answer |
| `GET /snowflake/api/v2/statements/{handle}` | the answer, or 202 |
| `GET /lab/sql/rows?table=NAME` | the rows of a table, a JSON object on each line |
| `GET /lab/sql/log` | a line for each submission: whether it ran, and what it was told |

The tokens are those of Cortex. A `User-Agent` is needed, members of the body that Snowflake does not know are 400,
and so is a `requestId` that is no UUID. Two statements are known, all else is a syntax error (422, 001003):
`CREATE TABLE IF NOT EXISTS` and `MERGE INTO ... USING (SELECT value:path::TYPE AS name, ... FROM
TABLE(FLATTEN(INPUT => PARSE_JSON(?)))) ...`. Tables, columns, types, the number of bindings and their type are
checked, and a value that does not fit lets the whole statement fail. Faults stand behind the name of the warehouse:

| warehouse | what happens to each statement |
| --- | --- |
| `WH+busy-N` | 429 the first N times |
| `WH+down-N` | 503 the first N times, without running it |
| `WH+lost-N` | runs, and the connection breaks before the answer, the first N times |
| `WH+slow-N` | 202, until it was asked for N times |
| `WH+delay-N` | the answer comes after N milliseconds |
)";

constexpr std::string_view kPortkey = R"(
## Portkey

Below `/portkey/v1`: `chat/completions`, `completions`, `embeddings`, `responses`, `messages`, `models`. Every request
needs `x-portkey-api-key`; one that begins with `invalid` gets 401. A provider is named by the model
(`@lab/lab/chat`), by `x-portkey-config` (JSON, checked; or `pc-lab`), by `x-portkey-virtual-key`, or by
`x-portkey-provider` (`@lab`, or a vendor's name with the vendor's `Authorization`). Of a config the lab follows the
first choice only. `x-portkey-metadata` and `x-portkey-request-timeout` are checked, and the timeout is kept: 408.
Errors of the vendor are passed on as `{"error":{"message":"openai error: ..."},"provider":"openai"}`; those of
Portkey itself carry no `x-portkey-provider`. Beside the lab's models, names that begin with `gpt-`, `claude-` or
`text-embedding-` are good.

| provider | vendor |
| --- | --- |
)";

constexpr std::string_view kEsc = R"(
## Pulumi ESC

Below `/api/esc/environments`: `POST {org}/{project}/{env}[/versions/{version}]/open?duration=` and
`GET {org}/{project}/{env}/open/{session}`. The token (`Authorization: token pul-...`) is good unless it begins with
`pul-invalid`; errors are `{"code":404,"message":"Not Found: ..."}`. What the environments hold stands in the file of
`--esc-file`, which is read anew at each opening, so that changing it plays a rotation:

```json
{"acme/llm/prod": {"openai": {"apiKey": {"fn::secret": "sk-1"}}}, "acme/llm/prod@stable": {}}
```

A session ends after its duration, as the real one does.
)";

constexpr std::string_view kOpenRouter = R"(
## OpenRouter

Below `/openrouter/api/v1`: `chat/completions`, `completions`, `responses`, `messages`, `embeddings`, `models` (in
pages, with prices; that of `openrouter/auto` varies), `key`, `credits` (for keys that begin with `sk-or-management`).
Keys begin with `sk-or-`, and not with `sk-or-invalid`. Models are named `author/slug`, such as `lab/chat` or
`openai/gpt-5-mini`, with `:free`, `:nitro`, `:floor`, `:exacto`, `:extended` or `:online` behind it; a model of
`models` answers when those before it would fail.
Members of `provider` that OpenRouter does not know are refused. `usage` is always there, with `cost`, and comments
stand between the events of a stream.
)";

}  // namespace

std::string lab_reference_routers() {
  std::string out(kSnowflake);
  out += kPortkey;
  for (const LabPortkeySlug& one : lab_portkey_slugs())
    out += fmt::format("| `@{}` | {} |\n", one.slug, one.vendor);
  out += kOpenRouter;
  return out += kEsc;
}

}  // namespace sluice::providers
