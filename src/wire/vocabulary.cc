#include "wire/vocabulary.h"

#include <algorithm>
#include <bitset>
#include <cstring>
#include <memory>

#include "wire/coding.h"

namespace sluice::tokens {
namespace {

constexpr size_t kPlanes = 6;

// 46 bits. Two tokens of one hash would make the second unknown to find(), which a test rules out;
// other texts of a token's hash are told from it by their bytes.
uint64_t hash_of(std::string_view bytes) {
  uint64_t hash = bytes.size() << 56;  // no shorter text ends in bytes up there
  const auto mix = [&](uint64_t word) {
    const auto product =
        static_cast<unsigned __int128>(hash ^ word ^ 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
    hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t word = 0;
  while (bytes.size() >= sizeof word) {
    std::memcpy(&word, bytes.data(), sizeof word);
    mix(word);
    bytes.remove_prefix(sizeof word);
  }
  word = 0;
  for (const char c : bytes) word = word << 8 | static_cast<uint8_t>(c);
  mix(word);
  return hash >> IdTable::kIdBits;
}

Result<std::string> unpacked(std::string_view packed) {
  const coding::Limits limits{.max_output = Vocabulary::kBytes + kPlanes * IdTable::kNone,
                              .malformed = Outcome::BadRequest};
  Result<std::unique_ptr<coding::Decoder>> decoder = coding::make_decoder("zstd", limits);
  if (!decoder) return std::move(decoder).error();
  std::string raw;
  if (Result<void> fed = (*decoder)->feed(packed, raw); !fed) return std::move(fed).error();
  if (Result<void> whole = (*decoder)->finish(); !whole) return std::move(whole).error();
  std::bitset<Vocabulary::kBytes> singles;
  for (const char c : raw.substr(0, Vocabulary::kBytes)) singles.set(static_cast<uint8_t>(c));
  if (!singles.all() || (raw.size() - Vocabulary::kBytes) % kPlanes != 0) {
    return Error(Outcome::BadRequest, "these are no packed ranks");
  }
  return raw;
}

}  // namespace

Vocabulary::Vocabulary(size_t size)
    : of_bytes_(kBytes * kBytes, kNoToken), merges_(size), whole_(size) {
  begins_.reserve(size + 1);
  begins_.push_back(0);
}

void Vocabulary::add(std::string_view left, std::string_view right) {
  const auto token = static_cast<Token>(size());
  // Both may lie in bytes_, which grows.
  const std::string whole = std::string(left) + std::string(right);
  bytes_ += whole;
  begins_.push_back(static_cast<uint32_t>(bytes_.size()));
  longest_ = std::max(longest_, whole.size());
  whole_.insert(hash_of(whole), token);
}

void Vocabulary::join(Token left, Token right) {
  const auto token = static_cast<Token>(size());
  if ((left | right) < kBytes) {
    of_bytes_[left * kBytes + right] = token;
  } else {
    merges_.insert(uint64_t{left} << IdTable::kIdBits | right, token);
  }
  add(bytes_of(left), bytes_of(right));
}

Result<Vocabulary> Vocabulary::unpack(std::string_view packed) {
  Result<std::string> raw = unpacked(packed);
  if (!raw) return std::move(raw).error();
  const size_t halves = (raw->size() - kBytes) / kPlanes;
  const std::string_view planes = std::string_view(*raw).substr(kBytes);
  const auto rank = [&](size_t side, size_t i) {
    const auto byte = [&](size_t plane) {
      return uint32_t{static_cast<uint8_t>(planes[(side * 3 + plane) * halves + i])};
    };
    return byte(0) | byte(1) << 8 | byte(2) << 16;
  };
  Vocabulary vocabulary(kBytes + halves);
  for (Token token = 0; token < kBytes; ++token) {
    vocabulary.of_byte_[static_cast<uint8_t>((*raw)[token])] = token;
    vocabulary.add(std::string_view(*raw).substr(token, 1), "");
  }
  for (size_t i = 0; i < halves; ++i) {
    const auto token = static_cast<Token>(kBytes + i);
    const Token left = rank(0, i);
    const Token right = rank(1, i);
    if (left >= token || right >= token) {
      return Error(Outcome::BadRequest, "a token is made of later ones");
    }
    vocabulary.join(left, right);
  }
  return vocabulary;
}

Token Vocabulary::find(std::string_view bytes) const {
  if (bytes.size() > longest_) return kNoToken;
  const Token token = whole_.find(hash_of(bytes));
  return token != kNoToken && bytes_of(token) == bytes ? token : kNoToken;
}

}  // namespace sluice::tokens
