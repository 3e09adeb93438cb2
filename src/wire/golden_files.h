// Golden files: inputs of one folder and what must stand beside each of them. For tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <string>

namespace sluice::golden {

using Files = std::map<std::string, std::string>;  // name -> content

inline std::filesystem::path folder(const std::filesystem::path& root, const std::string& dialect) {
  return root / "tests/golden" / dialect;
}

inline std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Calls `visit` with name and content of every file whose name ends so.
inline void for_each(const std::filesystem::path& dir, const std::string& ending,
                     const std::function<void(const std::string&, const std::string&)>& visit) {
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(dir)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(ending)) continue;
    SCOPED_TRACE(name);
    visit(name, read(entry.path()));
  }
}

// "tools" of "tools.request.json".
inline std::string stem_of(const std::string& name) {
  return name.substr(0, name.find('.'));
}

inline void write(const std::filesystem::path& dir, const Files& files) {
  for (const auto& [name, text] : files) std::ofstream(dir / name, std::ios::binary) << text;
}

// What `wire_test --rewrite-golden` writes for tests/golden/anthropic, tests/golden/responses and,
// by paths below tests/golden, for the folders of translations.
Files anthropic_files();
Files anthropic_write_files();
Files responses_files();
Files translation_files();

}  // namespace sluice::golden
