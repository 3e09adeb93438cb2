// docs/lab.md, made from the lab's own tables.
#pragma once

#include <string>

namespace sluice::providers {

std::string lab_reference_page();

}  // namespace sluice::providers
