// What the golden files of the Responses dialect show of conversations and written streams; each
// is defined beside the tests of its subject.
#pragma once

#include <string>

namespace sluice::test {

// A body as the conversation it is read to, a line for each part, or the error it is refused with.
std::string show_conversation(const std::string& body);

// An answer, told event by event in lines of a word and its values:
//
//   start ID MODEL CREATED | text JSON | refusal JSON | thinking JSON | signature WORD
//   redacted WORD | call ID NAME | custom ID NAME | arguments JSON
//   finish stop|length|tools|filter | usage PLAIN CACHED VISIBLE REASONING | end
struct Written {
  std::string events;    // as a client of the dialect gets them
  std::string response;  // the same answer as one object
};
Written write_script(const std::string& script);

}  // namespace sluice::test
