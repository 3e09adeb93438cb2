#include "providers/lab_text.h"

#include <array>

namespace sluice::providers {
namespace {

constexpr std::array<std::string_view, 16> kSubjects = {
    "the gateway", "a request",     "the provider", "every stream",   "the ledger",
    "this answer", "a token",       "the client",   "an idle socket", "the budget",
    "one replica", "the caf\u00e9", "our model",    "the breaker",    "a na\u00efve retry",
    "the operator"};
constexpr std::array<std::string_view, 12> kVerbs = {
    "carries",   "measures", "forwards", "explains", "follows", "protects",
    "remembers", "answers",  "balances", "records",  "prefers", "repeats"};
constexpr std::array<std::string_view, 14> kObjects = {
    "the shortest path",    "what was asked",   "each event in order", "a quiet afternoon",
    "the price of a word",  "its own limits",   "a list of targets",   "the second attempt",
    "the weather in Oslo",  "a small surprise", "the rest of the day", "nothing it cannot prove",
    "the first clear sign", "every other call"};
constexpr std::array<std::string_view, 8> kTails = {
    "without delay", "before noon", "as promised",        "under load",
    "in plain text", "one by one",  "\u2014 and says so", "while others wait"};

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
// A byte that continues a UTF-8 character.
constexpr bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

void append_sentence(std::string& out, LabRandom& random) {
  const size_t start = out.size();
  out += kSubjects[random.below(kSubjects.size())];
  out += ' ';
  out += kVerbs[random.below(kVerbs.size())];
  out += ' ';
  out += kObjects[random.below(kObjects.size())];
  if (random.below(2) == 0) {
    out += ' ';
    out += kTails[random.below(kTails.size())];
  }
  out += '.';
  out[start] = static_cast<char>(out[start] - 'a' + 'A');
}

}  // namespace

uint64_t LabRandom::next() {
  state_ += 0x9E3779B97F4A7C15U;
  uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

uint64_t lab_hash(std::string_view text, uint64_t seed) {
  uint64_t hash = 0xCBF29CE484222325U ^ seed;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  return LabRandom(hash).next();
}

size_t lab_token_length(std::string_view text) {
  size_t length = 0;
  // The blanks before the word belong to it, and do not count towards its four bytes.
  while (length < text.size() && is_blank(text[length])) ++length;
  size_t word = 0;
  while (length < text.size() && !is_blank(text[length])) {
    if (word >= 4 && !continues(text[length])) break;
    ++length;
    ++word;
  }
  return length;
}

int64_t lab_count_tokens(std::string_view text) {
  int64_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(lab_token_length(text));
    ++count;
  }
  return count;
}

std::string_view lab_first_tokens(std::string_view text, int64_t tokens) {
  size_t end = 0;
  while (tokens-- > 0 && end < text.size()) end += lab_token_length(text.substr(end));
  return text.substr(0, end);
}

std::string lab_prose(LabRandom& random, int64_t tokens) {
  std::string out;
  // No token of the prose is longer than eight bytes and none shorter than one, so the text is long
  // enough when it holds eight bytes for each.
  const auto wanted = static_cast<size_t>(tokens) * 8;
  out.reserve(wanted + 128);
  while (out.size() < wanted) {
    if (!out.empty()) out += ' ';
    append_sentence(out, random);
  }
  out.resize(lab_first_tokens(out, tokens).size());
  return out;
}

std::string_view lab_word(LabRandom& random) {
  constexpr std::array<std::string_view, 16> kWords = {
      "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbour",
      "inlet", "jetty", "knoll", "ledge", "marsh", "north", "ochre", "prairie"};
  return kWords[random.below(kWords.size())];
}

}  // namespace sluice::providers
