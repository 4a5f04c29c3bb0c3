// partway.hpp from end to end: cpp API CONTROL NAME.
#include "check.hpp"
#include <partway.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;

static std::string content(std::size_t size, unsigned seed) {
    std::string bytes(size, '\0');
    for (char &byte : bytes) byte = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
    return bytes;
}

static partway::Request to(const std::string &api, const std::string &key) {
    return partway::Request(PARTWAY_SERVICE_SMH)
        .set(PARTWAY_REQUEST_KEY, key)
        .set(PARTWAY_REQUEST_ENDPOINT, api)
        .set(PARTWAY_REQUEST_ACCOUNT, "me")
        .set(PARTWAY_REQUEST_LIBRARY, "smh-sandbox")
        .set(PARTWAY_REQUEST_PATH, key + ".bin")
        .set(PARTWAY_REQUEST_INSTANT, PARTWAY_INSTANT_OFF);
}

/** Says how long it is, and once it is read it throws. */
struct Throwing : partway::Reader {
    std::atomic<int> *gone;
    explicit Throwing(std::atomic<int> *gone) : gone(gone) {}
    ~Throwing() override { ++*gone; }
    std::uint64_t length() override { return 1000; }
    std::size_t read_at(std::uint64_t, std::uint8_t *, std::size_t) override { throw std::runtime_error("no"); }
};

struct Bytes : partway::Reader {
    std::string bytes;
    std::atomic<int> *gone;
    Bytes(std::string bytes, std::atomic<int> *gone) : bytes(std::move(bytes)), gone(gone) {}
    ~Bytes() override { ++*gone; }
    std::uint64_t length() override { return bytes.size(); }
    std::size_t read_at(std::uint64_t offset, std::uint8_t *buffer, std::size_t size) override {
        const auto count = std::min<std::size_t>({size, bytes.size() - static_cast<std::size_t>(offset), 5000});
        std::memcpy(buffer, bytes.data() + offset, count);
        return count;
    }
    bool concurrent() const override { return true; }
};

int main(int argc, char **argv) {
    CHECK(argc == 4);
    const std::string api = argv[1];
    std::ofstream("photo", std::ios::binary) << content(3'000'000, 1);
    std::atomic<int> endings{0}, thrown{0}, readers{0};
    std::mutex lock;
    std::vector<std::thread> threads;
    {
        partway::Host host;
        host.on_changes = [&](const std::vector<partway::Snapshot> &changes) {
            for (const auto &change : changes) endings += change.ended() ? 1 : 0;
            ++thrown;
            throw std::runtime_error("harms nobody"); // A listener that throws.
        };
        host.on_credential = [&](partway::CredentialAsk ask) {
            const std::lock_guard<std::mutex> guard(lock);
            threads.emplace_back([ask] { ask.supply_token("sandbox-token"); });
        };
        host.on_source = [&](partway::SourceAsk ask) { ask.supply(partway::Source::path(ask.token())); };
        partway::Config config("uploads");
        config.host(std::move(host));
        const partway::Client client(config);

        const auto photo = client.start(to(api, "photo").source(partway::Source::path("photo")));
        CHECK(photo.how == PARTWAY_HOW_NEW);
        const auto end = photo.upload.wait();
        CHECK(end.completed() && end->receipt->size_bytes == 3'000'000 && partway::text(end->receipt->name) == "photo.bin");

        const auto bytes = content(700'000, 2);
        const auto read = client.start(
            to(api, "read").source(partway::Source::reader(std::make_unique<Bytes>(bytes, &readers))));
        CHECK(read.upload.wait(120s).completed());
        CHECK(client.start(to(api, "memory").source(partway::Source::memory("abc", 3))).upload.wait(120s).completed());
        CHECK(client.start(to(api, "later").source(partway::Source::later("photo"))).upload.wait(120s).completed());

        const auto broken =
            client.start(to(api, "broken").source(partway::Source::reader(std::make_unique<Throwing>(&readers)))).upload;
        auto now = broken.snapshot();
        while (!(now->state == PARTWAY_STATE_WAITING && now->waiting->reason == PARTWAY_WAITING_SOURCE)) {
            CHECK(!now.ended());
            now = broken.wait_change(now->revision, 120s);
        }
        CHECK(now->waiting->error->code == PARTWAY_ERROR_SOURCE_UNREADABLE);
        broken.cancel();
        CHECK(broken.wait(120s)->state == PARTWAY_STATE_CANCELLED);
        CHECK(broken.forget() && !client.find("broken"));

        CHECK(client.list().size() == 4 && client.list(partway::Select::key("read")).size() == 1);
        CHECK(client.find("photo")->completed() && !client.find("nothing"));
        try {
            client.start(partway::Request(PARTWAY_SERVICE_SMH));
            CHECK(!"refused");
        } catch (const partway::Error &error) {
            CHECK(error.code() == PARTWAY_ERROR_INVALID_ARGUMENT && error.name() == "invalid_argument");
            CHECK(std::string(error.what()).find("PW-1001") == 0 && !error.detail().empty());
        }
        partway::Change change;
        change.set(PARTWAY_CHANGE_PRIORITY, 5);
        CHECK(client.change(partway::Select::all(), change) == 0);
        CHECK(client.wait_idle(120s).active == 0);
        CHECK(client.forget(partway::Select::all()) == 4 && client.list().empty());
        CHECK(client.close(120s));
    }
    while (readers != 2) std::this_thread::sleep_for(2ms);
    for (auto &thread : threads) thread.join();
    CHECK(thrown > 0 && endings >= 4);
    return 0;
}
