// What cpp.cc does not need of partway.hpp, each used once as a host would: cpp_beyond API CONTROL NAME, in an empty directory.
#include "check.hpp"
#include <partway.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <mutex>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace std::chrono_literals;

static std::string api;
static const char APP_ID[] = "sandbox-app", APP_SECRET[] = "sandbox-app-secret", USER_ID[] = "1505084218764547200";

/** The number of the error that it throws; 0: none. */
template <typename Call> static std::uint32_t thrown(Call call) {
    try {
        call();
        return 0;
    } catch (const partway::Error &error) {
        CHECK(error.what()[0] != 0);
        return error.code();
    }
}

static std::string content(std::size_t size, unsigned seed) {
    std::string bytes(size, '\0');
    for (char &byte : bytes) byte = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
    return bytes;
}

static std::string file_of(const std::string &name, std::size_t size, unsigned seed) {
    std::ofstream(name, std::ios::binary) << content(size, seed);
    return name;
}

static partway::Request to(const std::string &key) {
    return partway::Request(PARTWAY_SERVICE_SMH)
        .set(PARTWAY_REQUEST_KEY, key)
        .set(PARTWAY_REQUEST_ENDPOINT, api)
        .set(PARTWAY_REQUEST_ACCOUNT, "me")
        .set(PARTWAY_REQUEST_LIBRARY, "smh-sandbox")
        .set(PARTWAY_REQUEST_PATH, key + ".bin")
        .set(PARTWAY_REQUEST_INSTANT, PARTWAY_INSTANT_OFF)
        .add(PARTWAY_REQUEST_TAG, "thumb", "t-" + key);
}

static partway::Host with_token() {
    partway::Host host;
    host.on_credential = [](partway::CredentialAsk ask) { ask.supply_token("sandbox-token"); };
    return host;
}

/** Waits for a snapshot that is as it should be. */
template <typename Good> static partway::Snapshot until(const partway::Upload &upload, Good good) {
    for (auto now = upload.snapshot();; now = upload.wait_change(now->revision, 120s)) {
        if (good(now)) return now;
        CHECK(!now.ended());
    }
}

// ---- texts that are none, and what was moved from

static void texts_and_numbers() {
    partway::Request request(PARTWAY_SERVICE_SMH);
    const char *none = nullptr;
    const std::string group = "album";
    enum Mine { THREE = 3 };
    request.set(PARTWAY_REQUEST_GROUP, nullptr).set(PARTWAY_REQUEST_GROUP, none).set(PARTWAY_REQUEST_GROUP, "album");
    request.set(PARTWAY_REQUEST_GROUP, group).set(PARTWAY_REQUEST_GROUP, std::string_view());
    request.set(PARTWAY_REQUEST_PRIORITY, 0).set(PARTWAY_REQUEST_PRIORITY, THREE).set(PARTWAY_REQUEST_PRIORITY, std::int64_t{-1});
    request.set(PARTWAY_REQUEST_CREATE_PARENTS, true).set(PARTWAY_REQUEST_PART_SIZE_BYTES, std::size_t{1} << 20);
    CHECK(thrown([&] { request.add(PARTWAY_REQUEST_TAG, nullptr, "x"); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
    CHECK(thrown([&] { request.set(PARTWAY_REQUEST_PART_SIZE_BYTES, UINT64_MAX); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
    partway::Config config("texts");
    config.set(PARTWAY_CONFIG_PROXY, nullptr).set(PARTWAY_CONFIG_PROXY, none).set(PARTWAY_CONFIG_AUTOSTART, 0);
    partway::Change change;
    change.set(PARTWAY_CHANGE_IF_VERSION, nullptr).set(PARTWAY_CHANGE_PRIORITY, 0);
    CHECK(thrown([&] { partway::Config nowhere(nullptr); partway::Client client(nowhere); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
    CHECK(thrown([&] { partway::Source::path(none); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
    CHECK(thrown([&] { partway::Source::reader(nullptr); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
    CHECK(thrown([&] { config.transport(std::unique_ptr<partway::Transport>()); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
}

static void moved_from() {
    static_assert(std::is_nothrow_copy_constructible_v<partway::Error>, "an exception is copied without one");
    static_assert(!std::is_copy_constructible_v<partway::Client> && std::is_nothrow_move_constructible_v<partway::Client>);
    static_assert(!std::is_copy_constructible_v<partway::Call> && std::is_nothrow_move_constructible_v<partway::Call>);
    partway::Config config("moved");
    config.host(with_token()).set(PARTWAY_CONFIG_AUTOSTART, 0);
    partway::Client client(config);
    auto upload = client.start(to("moved").source(partway::Source::memory("abc", 3))).upload;
    // What has several holders still has one after a move.
    const std::string id(upload.id());
    const partway::Upload other = std::move(upload);
    CHECK(upload.id() == id && other.id() == id && upload.continued_from().empty());
    auto snapshot = other.snapshot();
    const partway::Snapshot kept = std::move(snapshot);
    CHECK(snapshot.id() == id && kept.id() == id && snapshot.key() == "moved" && !snapshot.ended() && !snapshot.completed());
    try {
        client.upload("nobody");
        CHECK(!"refused");
    } catch (partway::Error &error) {
        const partway::Error taken = std::move(error);
        CHECK(error.code() == taken.code() && taken.code() == PARTWAY_ERROR_UNKNOWN_UPLOAD && std::strlen(error.what()) > 0);
    }
    // Holders of nothing say nothing.
    const partway::Upload nothing(nullptr);
    CHECK(nothing.id().empty() && thrown([&] { nothing.pause(); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
    const partway::Snapshot blank(nullptr);
    CHECK(blank.id().empty() && blank.key().empty() && !blank.ended() && !blank.completed());
    const partway::Error unknown(nullptr);
    CHECK(unknown.what()[0] == 0 && unknown.code() == 0 && unknown.name().empty() && unknown.detail().empty());
    // What has one holder has moved: the library refuses what is left.
    auto request = to("left");
    const partway::Request gone = std::move(request);
    CHECK(thrown([&] { request.set(PARTWAY_REQUEST_KEY, "x"); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
    CHECK(thrown([&] { client.start(request); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
    const partway::Client open = std::move(client);
    CHECK(thrown([&] { client.find("moved"); }) == PARTWAY_ERROR_INVALID_ARGUMENT && open.find("moved"));
    CHECK(thrown([&] { open.find(nullptr); }) == PARTWAY_ERROR_INVALID_ARGUMENT && client.problems().empty());
    CHECK(open.close(120s));
}

// ---- descriptors and digests

static void descriptors_and_digests() {
    partway::Config config("descriptors");
    config.host(with_token());
    const partway::Client client(config);
    const auto bytes = content(3'000'000, 3);
    file_of("film", bytes.size(), 3);
    const int fd = open("film", O_RDONLY);
    CHECK(fd >= 0);
    const auto whole = partway::Source::fd(fd, false);
    const auto range = partway::Source::fd(fd, true, 1'000'000, 64 * 1024); // Ours no more.
    const auto digests = whole.digest(1 << 20);
    CHECK(digests->size_bytes == bytes.size() && digests->midstates_count == 2 && digests->sha256.len == 64);
    const auto in_memory = partway::Source::memory(bytes.data(), bytes.size()).digest();
    CHECK(partway::text(in_memory->sha256) == partway::text(digests->sha256) && in_memory->midstates_count == 0);
    CHECK(partway::text(in_memory->crc64) == partway::text((*digests).crc64) && in_memory->pre_hash.len == 64);
    const auto end = client.start(to("range").source(range)).upload.wait(120s);
    CHECK(end.completed() && end->receipt->size_bytes == 64 * 1024);
    const auto expected = partway::Source::memory(bytes.data() + 1'000'000, 64 * 1024).digest();
    CHECK(partway::text(end->receipt->crc64) == partway::text(expected->crc64));
    CHECK(thrown([&] { partway::Source::fd(-1, false); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
    CHECK(thrown([&] { whole.digest(65); }) == PARTWAY_ERROR_PART_SIZE_UNUSABLE);
    CHECK(client.close(120s));
}

// ---- many at once, what holds them, and what is told of them

static void many_and_what_holds_them() {
    partway::Config config("many");
    partway_network_t network{};
    network.struct_size = sizeof network;
    network.state = PARTWAY_NETWORK_OFFLINE;
    network.generation = 1;
    config.host(with_token()).network(network);
    const partway::Client client(config);
    file_of("photo", 2'000'000, 4);
    std::vector<partway::Request> requests;
    for (const char *key : {"one", "two", "one"}) requests.push_back(to(key).source(partway::Source::path("photo")));
    requests.push_back(to("three")); // Without a source.
    const auto results = client.start_all(requests);
    CHECK(results.size() == 4 && client.start_all({}).empty());
    CHECK(results[0].started && results[0].started->how == PARTWAY_HOW_NEW && !results[0].error);
    CHECK(results[2].started && results[2].started->how == PARTWAY_HOW_ALREADY_THERE);
    CHECK(results[2].started->upload.id() == results[0].started->upload.id());
    CHECK(!results[3].started && results[3].error && results[3].error->code() == PARTWAY_ERROR_INVALID_ARGUMENT);
    const auto upload = results[0].started->upload;

    until(upload, [](const partway::Snapshot &now) {
        return now->state == PARTWAY_STATE_WAITING && now->waiting->reason == PARTWAY_WAITING_NETWORK;
    });
    const auto why = upload.explain();
    CHECK(why->state == PARTWAY_STATE_WAITING && why->blocked_by_count == 1 && why->blocked_by[0] == PARTWAY_WAITING_NETWORK);
    CHECK(why->remedy == PARTWAY_REMEDY_WAIT_FOR_NETWORK && why->text.len > 0);
    const auto json = upload.timeline_json();
    CHECK(json.front() == '{' && json.back() == '}' && json.find("one.bin") == std::string::npos);
    const auto look = upload.look_remote();
    CHECK(look.look == PARTWAY_LOOK_NO_SESSION && !look.task);
    CHECK(thrown([&] { client.set_proxy("no proxy"); }) == PARTWAY_ERROR_INVALID_ARGUMENT);
    client.set_proxy("http://127.0.0.1:9");
    client.set_proxy(nullptr);
    network.state = PARTWAY_NETWORK_ONLINE;
    network.generation = 2;
    client.set_network(network);
    CHECK(upload.wait(120s).completed() && results[1].started->upload.wait(120s).completed());
    const auto ended = upload.look_remote();
    CHECK(ended.look == PARTWAY_LOOK_FOUND && ended.task && (*ended.task)->complete == 1);
    const auto other = client.start(to("other").source(partway::Source::path("nowhere"))).upload;
    other.cancel();
    CHECK(other.wait(120s)->state == PARTWAY_STATE_CANCELLED);
    const auto again = other.retry();
    CHECK(again.continued_from() == other.id() && again.id() != other.id());
    again.cancel();
    CHECK(client.close(120s));
}

// ---- a journal that is damaged

static void a_damaged_journal() {
    std::string id;
    {
        partway::Config config("damaged");
        const partway::Client client(config.set(PARTWAY_CONFIG_AUTOSTART, false));
        id = client.start(to("damaged").source(partway::Source::memory("abc", 3))).upload.id();
        CHECK(client.close(120s));
    }
    std::fstream("damaged/" + id + ".journal", std::ios::in | std::ios::out | std::ios::binary) << "#";
    const partway::Client client{partway::Config("damaged")};
    const auto problems = client.problems();
    CHECK(problems.size() == 1 && problems[0].id == id && problems[0].error.code() == PARTWAY_ERROR_JOURNAL_CORRUPT);
    CHECK(client.list().empty() && client.close(120s));
}

// ---- a source that is asked for

static void what_an_ask_for_a_source_says() {
    std::mutex lock;
    std::string seen;
    auto host = with_token();
    host.on_source = [&](partway::SourceAsk ask) {
        const std::lock_guard<std::mutex> guard(lock);
        CHECK(ask.tags().size() == 1 && ask.why()->code == PARTWAY_ERROR_SOURCE_NOT_FOUND && ask.upload_id().size() == 26);
        seen = std::string(ask.tags()[0].first) + "=" + std::string(ask.tags()[0].second) + " " + std::string(ask.token());
        ask.preparing(0.5);
        ask.supply(partway::Source::path("photo"));
    };
    partway::Config config("asked");
    config.host(std::move(host));
    const partway::Client client(config);
    CHECK(client.start(to("asked").source(partway::Source::later("photo"))).upload.wait(120s).completed());
    CHECK(client.close(120s));
    const std::lock_guard<std::mutex> guard(lock);
    CHECK(seen == "thumb=t-asked photo");
}

// ---- KooDrive, with an application's key here, and with one that stays elsewhere

static std::string sha256(const std::string &bytes) {
    const auto digests = partway::Source::memory(bytes.data(), bytes.size()).digest();
    const std::string hex(partway::text(digests->sha256));
    std::string raw;
    for (std::size_t i = 0; i < hex.size(); i += 2) raw += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return raw;
}

/** What the application's own server does. */
static std::string signature_of(std::string_view text) {
    std::string inner(64, '\x36'), outer(64, '\x5c');
    for (std::size_t i = 0; i < std::strlen(APP_SECRET); i++) {
        inner[i] = static_cast<char>(inner[i] ^ APP_SECRET[i]);
        outer[i] = static_cast<char>(outer[i] ^ APP_SECRET[i]);
    }
    const std::string raw = sha256(outer + sha256(inner + std::string(text)));
    std::string hex;
    for (const char byte : raw)
        for (const int shift : {4, 0}) hex += "0123456789abcdef"[(static_cast<unsigned char>(byte) >> shift) & 15];
    return hex;
}

static partway::Request koodrive(const std::string &name, const std::string &file) {
    return partway::Request(PARTWAY_SERVICE_KOODRIVE)
        .set(PARTWAY_REQUEST_KEY, name)
        .set(PARTWAY_REQUEST_ENDPOINT, api)
        .set(PARTWAY_REQUEST_ACCOUNT, "me")
        .set(PARTWAY_REQUEST_CONTAINER, "IAADpartwaysandbox0000000000000000000000000000a")
        .set(PARTWAY_REQUEST_NAME, name)
        .source(partway::Source::path(file));
}

static void applications() {
    std::atomic<int> asked{0}, signatures{0};
    std::atomic<bool> refuses{true};
    partway::Host host;
    host.on_credential = [&](partway::CredentialAsk ask) {
        ++asked;
        CHECK(ask.service() == PARTWAY_SERVICE_KOODRIVE);
        ask.supply_app_signer(APP_ID, USER_ID);
    };
    host.on_sign = [&](partway::SignAsk ask) {
        ++signatures;
        CHECK(ask.account() == "me" && ask.service() == PARTWAY_SERVICE_KOODRIVE && ask.app_id() == APP_ID);
        CHECK(!ask.canonical_request().empty());
        if (refuses) return ask.refuse();
        ask.supply(signature_of(ask.string_to_sign()));
        CHECK(thrown([&] { ask.supply("again"); }) == PARTWAY_ERROR_WRONG_STATE);
    };
    partway::Config config("applications");
    config.host(std::move(host));
    const partway::Client client(config);
    const auto upload = client.start(koodrive("signed.bin", file_of("koo", 700'000, 5))).upload;
    until(upload, [](const partway::Snapshot &now) { return now->state == PARTWAY_STATE_WAITING && now->waiting->needs_host; });
    CHECK(signatures == 1);
    refuses = false;
    client.set_app_signer("me", APP_ID, USER_ID);
    CHECK(upload.wait(120s).completed() && signatures == 3 && asked == 1);
    client.set_app_key("me", APP_ID, APP_SECRET, USER_ID);
    CHECK(client.start(koodrive("key.bin", file_of("koo2", 700'000, 6))).upload.wait(120s).completed() && signatures == 3);
    CHECK(client.close(120s));
}

// ---- a transport of the host's own, over bare sockets

/** Over IPv4 on this machine. Every second call is answered later, from another thread; the first one throws. */
class Sockets : public partway::Transport {
  public:
    explicit Sockets(std::atomic<int> *gone) : gone_(gone) {}
    ~Sockets() override {
        for (auto &thread : threads_) thread.join();
        ++*gone_;
    }

    void execute(partway::Call call) override {
        const int number = calls_++;
        if (number == 0) throw std::runtime_error("a connection that broke");
        if (number % 2 == 0) return carry(std::move(call));
        const std::lock_guard<std::mutex> guard(lock_);
        threads_.emplace_back([later = std::move(call)]() mutable { carry(std::move(later)); });
    }

  private:
    static bool send_all(int fd, const char *bytes, std::size_t size) {
        for (std::size_t at = 0; at < size;) {
            const ssize_t count = send(fd, bytes + at, size - at, MSG_NOSIGNAL);
            if (count <= 0) return false;
            at += static_cast<std::size_t>(count);
        }
        return true;
    }

    static bool send_body(int fd, const partway::Call &call) {
        std::string buffer(64 * 1024, '\0');
        if (const auto range = call.request()->body_bytes > 0 ? call.body_range() : std::nullopt) {
            for (std::uint64_t at = 0; at < range->size_bytes;) {
                const auto want = std::min<std::uint64_t>(buffer.size(), range->size_bytes - at);
                const ssize_t count = pread(range->fd, buffer.data(), want, static_cast<off_t>(range->offset + at));
                if (count <= 0 || !send_all(fd, buffer.data(), static_cast<std::size_t>(count))) return false;
                call.sent(at += static_cast<std::uint64_t>(count));
            }
            return true;
        }
        for (bool again = true;; again = false) {
            std::uint64_t size = 0;
            while (const std::size_t count = call.read_body(buffer.data(), buffer.size())) {
                size += count;
                if (!again && !send_all(fd, buffer.data(), count)) return false;
            }
            if (size != call.request()->body_bytes) return false;
            if (!again) return true;
            call.rewind_body(); // Read once in vain.
        }
    }

    static void carry(partway::Call call) {
        const auto *request = call.request();
        const std::string url(partway::text(request->url));
        const auto colon = url.find(':', 7), slash = url.find('/', 7);
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1))));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK(fd >= 0 && connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) == 0);
        // The hook may come later than this function ends: it holds what it needs.
        const std::shared_ptr<int> own(new int(dup(fd)), [](const int *kept) { close(*kept), delete kept; });
        call.on_cancel([own] { shutdown(*own, SHUT_RDWR); });
        std::string head = std::string(partway::text(request->method)) + " " + url.substr(slash) + " HTTP/1.1\r\nHost: " +
                           url.substr(7, slash - 7) + "\r\nContent-Length: " + std::to_string(request->body_bytes) +
                           "\r\nConnection: close\r\n";
        for (std::size_t i = 0; i < request->headers_count; i++)
            head += std::string(partway::text(request->headers[i].name)) + ": " +
                    std::string(partway::text(request->headers[i].value)) + "\r\n";
        head += "\r\n";
        std::string answer;
        try {
            if (send_all(fd, head.data(), head.size()) && send_body(fd, call)) {
                char buffer[4096];
                for (ssize_t count; (count = read(fd, buffer, sizeof buffer)) > 0;)
                    answer.append(buffer, static_cast<std::size_t>(count));
            }
        } catch (const partway::Error &) {
            CHECK(call.is_cancelled()); // Nothing else ends a body here.
        }
        close(fd);
        const auto end = answer.find("\r\n\r\n");
        if (end == std::string::npos || answer.compare(0, 9, "HTTP/1.1 ") != 0) {
            call.fail(PARTWAY_FAULT_CUT);
            return;
        }
        std::vector<std::pair<std::string, std::string>> headers;
        for (std::size_t at = answer.find("\r\n") + 2; at < end;) {
            const auto line = answer.substr(at, answer.find("\r\n", at) - at);
            const auto name = line.find(": ");
            headers.emplace_back(line.substr(0, name), line.substr(name + 2));
            at += line.size() + 2;
        }
        const auto status = static_cast<std::uint32_t>(std::stoi(answer.substr(9)));
        if (call.respond(status, headers, answer.substr(end + 4))) {
            CHECK(!call.respond(500, {}, nullptr) && !call.fail(PARTWAY_FAULT_CUT)); // Answered once.
        }
    }

    std::atomic<int> *gone_;
    std::atomic<int> calls_{0};
    std::mutex lock_;
    std::vector<std::thread> threads_;
};

static void the_hosts_own_sockets() {
    std::atomic<int> gone{0};
    {
        partway::Config config("sockets");
        config.host(with_token()).transport(std::make_unique<Sockets>(&gone));
        const partway::Client client(config);
        const auto bytes = content(5'000'000, 7);
        file_of("carried", bytes.size(), 7);
        const auto end = client.start(to("carried").source(partway::Source::path("carried"))).upload.wait(120s);
        CHECK(end.completed() && end->retries >= 1); // The one that threw.
        const auto digests = partway::Source::path("carried").digest();
        CHECK(partway::text(end->receipt->crc64) == partway::text(digests->crc64));
        const auto memory = client.start(to("pulled").source(partway::Source::memory(bytes.data(), 100'000))).upload.wait(120s);
        CHECK(memory.completed());
        CHECK(thrown([&] { client.set_proxy(nullptr); }) == PARTWAY_ERROR_UNSUPPORTED);
        CHECK(client.close(120s));
    }
    while (gone != 1) std::this_thread::yield();
}

int main(int argc, char **argv) {
    CHECK(argc == 4);
    api = argv[1];
    texts_and_numbers();
    moved_from();
    descriptors_and_digests();
    many_and_what_holds_them();
    a_damaged_journal();
    what_an_ask_for_a_source_says();
    applications();
    the_hosts_own_sockets();
    return 0;
}
