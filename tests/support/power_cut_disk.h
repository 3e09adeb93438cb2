// A disk in memory whose power can be cut, for tests of what SQLite keeps on it.
//
//   PowerCutDisk disk(seed);             // from now on every database lies on it
//   disk.cut_after(100);                 // of its writes, truncations and syncs
//   ... until something fails ...
//   disk.restart();                      // connections must be closed by now
//
// What a file was given since its last sync is lost, kept or torn by chance, sector by sector and
// in any order; what was synced stays. Connections are those of one thread: locks are always
// granted.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <sqlite3.h>
#include <string>
#include <vector>

namespace sluice::test {

class PowerCutDisk {
 public:
  explicit PowerCutDisk(uint64_t seed) : random_(seed), system_(sqlite3_vfs_find(nullptr)) {
    vfs_ = *system_;
    vfs_.iVersion = 2;
    vfs_.szOsFile = sizeof(Handle);
    vfs_.pNext = nullptr;
    vfs_.zName = "power-cut";
    vfs_.pAppData = this;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    vfs_.xAccess = access;
    vfs_.xFullPathname = full_path;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~PowerCutDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(system_, 1);
  }
  PowerCutDisk(const PowerCutDisk&) = delete;
  PowerCutDisk& operator=(const PowerCutDisk&) = delete;

  void cut_after(int64_t operations) { left_ = operations; }
  bool is_cut() const { return left_ == 0; }
  int64_t lost_writes() const { return lost_; }

  // The power is back, until the next cut_after().
  void restart() {
    left_ = -1;
    for (auto file = files_.begin(); file != files_.end();) {
      const bool there = settle(*file->second);
      file = there ? std::next(file) : files_.erase(file);
    }
  }

 private:
  static constexpr size_t kSector = 512;
  struct Write {
    size_t offset = 0;
    std::string bytes;
    bool truncates = false;  // to `offset`
  };
  struct File {
    std::string now;
    std::string synced;
    std::vector<Write> since;
    bool durable = false;  // its name is on the disk
    int locked = 0;        // by so many connections
    std::vector<std::unique_ptr<char[]>> shared;
  };
  struct Handle {
    sqlite3_file base;
    PowerCutDisk* disk;
    std::shared_ptr<File> file;
    bool locks = false;
  };

  // False: the power is gone.
  bool spend() {
    if (left_ > 0) --left_;
    return left_ != 0;
  }
  bool chance(unsigned percent) { return random_() % 100 < percent; }

  static void put(std::string& content, size_t offset, std::string_view bytes) {
    if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
    content.replace(offset, bytes.size(), bytes);
  }

  // False: nobody will find the file any more.
  bool settle(File& file) {
    std::shuffle(file.since.begin(), file.since.end(), random_);
    std::string content = file.synced;
    bool any = file.durable;
    for (const Write& write : file.since) {
      const unsigned fate = random_() % 3;
      if (fate == 0) {
        lost_ += 1;
        continue;
      }
      any = true;
      if (write.truncates) {
        content.resize(std::min(content.size(), write.offset));
        continue;
      }
      for (size_t at = 0; at < write.bytes.size(); at += kSector) {
        if (fate == 1 || chance(50))
          put(content, write.offset + at, std::string_view(write.bytes).substr(at, kSector));
      }
    }
    file.since.clear();
    file.shared.clear();
    file.now = file.synced = content;
    file.durable = any;
    return any;
  }

  static File& file_of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file)->file; }
  static PowerCutDisk& disk_of(sqlite3_file* file) {
    return *reinterpret_cast<Handle*>(file)->disk;
  }
  static PowerCutDisk& disk_of(sqlite3_vfs* vfs) {
    return *static_cast<PowerCutDisk*>(vfs->pAppData);
  }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags,
                  int* out_flags) {
    PowerCutDisk& disk = disk_of(vfs);
    out->pMethods = nullptr;
    if (disk.is_cut()) return SQLITE_CANTOPEN;
    std::shared_ptr<File> file;
    if (name == nullptr) {
      file = std::make_shared<File>();
    } else if (const auto known = disk.files_.find(name); known != disk.files_.end()) {
      file = known->second;
    } else if ((flags & SQLITE_OPEN_CREATE) != 0) {
      file = disk.files_[name] = std::make_shared<File>();
    } else {
      return SQLITE_CANTOPEN;
    }
    new (out) Handle{
        .base = {.pMethods = methods()}, .disk = &disk, .file = std::move(file), .locks = false};
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int) {
    PowerCutDisk& disk = disk_of(vfs);
    if (!disk.spend()) return SQLITE_IOERR_DELETE;
    return disk.files_.erase(name) == 1 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
  }
  static int access(sqlite3_vfs* vfs, const char* name, int, int* out) {
    const auto known = disk_of(vfs).files_.find(name);
    *out = known == disk_of(vfs).files_.end() ? 0 : 1;
    return SQLITE_OK;
  }
  static int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }

  static int close(sqlite3_file* file) {
    reinterpret_cast<Handle*>(file)->~Handle();
    return SQLITE_OK;
  }
  static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
    if (disk_of(file).is_cut()) return SQLITE_IOERR_READ;
    const std::string& now = file_of(file).now;
    const auto wanted = static_cast<size_t>(size);
    const auto from = std::min(static_cast<size_t>(offset), now.size());
    const size_t there = std::min(wanted, now.size() - from);
    std::memcpy(out, now.data() + from, there);
    std::memset(static_cast<char*>(out) + there, 0, wanted - there);
    return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }
  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    File& to = file_of(file);
    const bool powered = disk_of(file).spend();
    const auto at = static_cast<size_t>(offset);
    const std::string_view text(static_cast<const char*>(bytes), static_cast<size_t>(size));
    to.since.push_back({.offset = at, .bytes = std::string(text)});
    put(to.now, at, text);
    return powered ? SQLITE_OK : SQLITE_IOERR_WRITE;
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    File& to = file_of(file);
    if (!disk_of(file).spend()) return SQLITE_IOERR_TRUNCATE;
    to.since.push_back({.offset = static_cast<size_t>(size), .truncates = true});
    to.now.resize(static_cast<size_t>(size));
    return SQLITE_OK;
  }
  // As the real one does, with the name in its folder.
  static int sync(sqlite3_file* file, int) {
    if (!disk_of(file).spend()) return SQLITE_IOERR_FSYNC;
    File& to = file_of(file);
    to.synced = to.now;
    to.since.clear();
    to.durable = true;
    return SQLITE_OK;
  }
  static int size(sqlite3_file* file, sqlite3_int64* out) {
    *out = static_cast<sqlite3_int64>(file_of(file).now.size());
    return SQLITE_OK;
  }
  static int lock(sqlite3_file* file, int level) {
    auto& handle = *reinterpret_cast<Handle*>(file);
    if (!handle.locks) handle.file->locked += 1;
    handle.locks = true;
    return level == SQLITE_LOCK_EXCLUSIVE && handle.file->locked > 1 ? SQLITE_BUSY : SQLITE_OK;
  }
  static int unlock(sqlite3_file* file, int level) {
    auto& handle = *reinterpret_cast<Handle*>(file);
    if (!handle.locks || level != SQLITE_LOCK_NONE) return SQLITE_OK;
    handle.file->locked -= 1;
    handle.locks = false;
    return SQLITE_OK;
  }
  static int check_lock(sqlite3_file*, int* out) {
    *out = 0;
    return SQLITE_OK;
  }
  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return kSector; }
  static int characteristics(sqlite3_file*) { return 0; }
  static int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    auto& shared = file_of(file).shared;
    const auto wanted = static_cast<size_t>(page) + 1;
    *out = nullptr;
    if (shared.size() < wanted && extend == 0) return SQLITE_OK;
    while (shared.size() < wanted)
      shared.push_back(std::make_unique<char[]>(static_cast<size_t>(size)));
    *out = shared[wanted - 1].get();
    return SQLITE_OK;
  }
  static int lock_shared(sqlite3_file*, int, int, int) { return SQLITE_OK; }
  static void barrier(sqlite3_file*) {}
  static int unmap_shared(sqlite3_file* file, int deletes) {
    if (deletes != 0) file_of(file).shared.clear();
    return SQLITE_OK;
  }
  static const sqlite3_io_methods* methods() {
    static constexpr sqlite3_io_methods kMethods = {
        .iVersion = 2,
        .xClose = close,
        .xRead = read,
        .xWrite = write,
        .xTruncate = truncate,
        .xSync = sync,
        .xFileSize = size,
        .xLock = lock,
        .xUnlock = unlock,
        .xCheckReservedLock = check_lock,
        .xFileControl = control,
        .xSectorSize = sector_size,
        .xDeviceCharacteristics = characteristics,
        .xShmMap = map_shared,
        .xShmLock = lock_shared,
        .xShmBarrier = barrier,
        .xShmUnmap = unmap_shared,
        .xFetch = nullptr,
        .xUnfetch = nullptr,
    };
    return &kMethods;
  }

  std::mt19937_64 random_;
  sqlite3_vfs* const system_;
  sqlite3_vfs vfs_{};
  std::map<std::string, std::shared_ptr<File>> files_;
  int64_t left_ = -1;  // operations until the cut; negative: for ever
  int64_t lost_ = 0;
};

}  // namespace sluice::test
