// The part of docs/lab.md on the faces that stand for a service in front of several vendors.
#pragma once

#include <string>

namespace sluice::providers {

// Markdown: Snowflake Cortex, Portkey, OpenRouter.
std::string lab_reference_routers();

}  // namespace sluice::providers
