// What a request is for, as its caller says it: for the ledger's costs by conversation, session,
// workflow and whatever else an organisation counts by.
//
// Later ones in this list win: metadata of the key's team, of the key; the W3C `baggage` field; the
// body's `metadata`; `x-sluice-metadata` ("cost_centre=12, project=alpha"). Conversation, session,
// workflow, execution and mcp_server have header fields of their own (x-sluice-conversation ...)
// and are understood as members of the others too.
#pragma once

namespace sluice::gateway {

class Exchange;

// Fills the record's attribution. Requires: the caller is known and the body was decoded.
void note_attribution(Exchange& exchange);

}  // namespace sluice::gateway
