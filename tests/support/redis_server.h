// A real redis-server (Debian's) for tests: started on a Unix socket in a directory of its own, and
// on a free port of 127.0.0.1 where one is asked for. Gone with the object, or with the test.
#pragma once

#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sluice::test {

// A port that nobody uses now.
inline uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

class RedisServer {
 public:
  struct Options {
    bool tcp = false;
    bool tls = false;  // the port speaks TLS; `config` says with what
    bool sentinel = false;
    std::vector<std::string> config;  // lines of a redis.conf
  };

  RedisServer() : RedisServer(Options()) {}
  explicit RedisServer(Options options, bool start_now = true) : options_(std::move(options)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-redis-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
    if (options_.tcp || options_.tls) port_ = free_port();
    write_config();
    if (start_now) start();
  }
  ~RedisServer() {
    kill();
    std::filesystem::remove_all(directory_);
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // Returns when it takes connections.
  void start() {
    const std::string notify = directory_ + "/notify";
    const std::string variable = "NOTIFY_SOCKET=" + notify;
    const std::string config = directory_ + "/redis.conf";
    std::vector<const char*> words{"env", variable.c_str(), "redis-server", config.c_str()};
    if (options_.sentinel) words.push_back("--sentinel");
    words.push_back(nullptr);
    const int ready = listen_for_notice(notify);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      execvp(words[0], const_cast<char* const*>(words.data()));
      _exit(127);
    }
    bool came = false;
    char notice[256];
    for (ssize_t got; !came && (got = recv(ready, notice, sizeof notice, 0)) > 0;) {
      came = std::string_view(notice, static_cast<size_t>(got)).starts_with("READY=1");
    }
    close(ready);
    unlink(notify.c_str());
    if (came) return;
    kill();
    throw std::runtime_error("redis-server does not start: " + log());
  }
  void kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    unlink(socket_path().c_str());
  }
  // Accepts connections, and says nothing.
  void stop() { ::kill(pid_, SIGSTOP); }
  void go_on() { ::kill(pid_, SIGCONT); }

  uint16_t port() const { return port_; }
  std::string socket_path() const { return directory_ + "/redis.sock"; }
  std::string url() const { return "unix://" + socket_path(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // An inline command on a connection of its own; what came back at once, raw.
  std::string tell(std::string_view command) const {
    const int fd = connect_socket();
    if (fd < 0) throw std::runtime_error("no redis-server to talk to");
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const std::string line = std::string(command) + "\r\n";
    std::string reply;
    if (write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size())) {
      shutdown(fd, SHUT_WR);
      char bytes[4096];
      for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0;) {
        reply.append(bytes, static_cast<size_t>(got));
      }
    }
    close(fd);
    return reply;
  }

 private:
  void write_config() const {
    std::ofstream config(directory_ + "/redis.conf");
    config << (options_.tls ? "port 0\ntls-port " : "port ") << port_ << "\nbind 127.0.0.1\ndir "
           << directory_ << "\nunixsocket " << socket_path() << "\nlogfile " << directory_
           << "/log\nsupervised systemd\n";
    if (!options_.sentinel) config << "save \"\"\nappendonly no\n";
    for (const std::string& line : options_.config) config << line << '\n';
  }
  // As systemd does: the server tells when it is ready.
  static int listen_for_notice(const std::string& path) {
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const sockaddr_un address = address_of(path);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot listen on " + path);
    }
    return fd;
  }
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }
  int connect_socket() const {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(socket_path());
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    close(fd);
    return -1;
  }
  std::string log() const {
    std::ifstream file(directory_ + "/log");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  Options options_;
  std::string directory_;
  uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace sluice::test
