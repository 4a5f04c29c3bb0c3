import Foundation
import Testing

@testable import Partway

private let stall = #""step":"part","how":"stall","after_bytes":1000"#

/// Rest, and what it takes to wait for it; who keeps a client, and what ends with it.
@Suite(.serialized) struct Waits {
    @Test func rest_is_told_and_waited_for() async throws {
        try await World.with { world in
            let client = try await world.open { $0.autostart = false }
            let told = Kept(0)
            let telling = Task { for await idle in client.idles { told.change { $0 += idle.atRest ? 1 : -1000 } } }
            try await eventually("it begins with the present") { told.value == 1 }
            try await world.cloud.rule(stall)
            let upload = try await client.start(world.request(world.folder.file("film.mp4", 9 * MIB)))
            try await same(soon { try await client.waitIdle() }.active, 0)
            try check(upload.snapshot?.progress.partsTotal == 0, "a wait moves nothing")
            client.go()
            _ = try await upload.until("at work") { $0.progress.partsTotal > 0 }
            for timeoutMs: Int64 in [-1, 0, 20] {
                let busy = try await soon { try await client.waitIdle(timeoutMs: timeoutMs) }
                try check(!busy.atRest && busy.active == 1, "the time is over: \(busy)")
            }
            // Cancelled, it throws at once, and nothing is held.
            let cancelled = Task { try await client.waitIdle() }
            try await eventually("both wait") { client.board.watching == 2 }
            cancelled.cancel()
            _ = try await thrown(CancellationError.self) { _ = try await soon { try await cancelled.value } }
            try check(!client.idle().atRest, "it goes on")
            let waiting = Task { try await client.waitIdle(timeoutMs: .max) }
            try await eventually("both wait again") { client.board.watching == 2 }
            let before = told.value
            try await check(client.hold(timeoutMs: 30_000).atRest, "it is held")
            try await check(soon { try await waiting.value }.atRest, "that is rest")
            try await eventually("it is told") { told.value > before }
            // A close is rest for who waits, and the end of what is told.
            client.go()
            _ = try await upload.until("at work again") { if case .active = $0.state { true } else { false } }
            let last = Task { try await client.waitIdle() }
            try await eventually("both wait for the end") { client.board.watching == 2 }
            try await check(client.close(timeoutMs: 30_000), "it rests")
            try await check(soon { try await last.value }.atRest, "that is rest")
            try await soon { await telling.value }
            try await same(thrown(PartwayError.self) { _ = try await client.waitIdle(timeoutMs: 0) }.info.name, "closed")
            try await same(thrown(PartwayError.self) { _ = try await client.runUntilIdle() }.info.name, "closed")
        }
    }

    @Test func a_close_without_rest_is_no_rest() async throws {
        try await World.with { world in
            let client = try await world.open()
            try await world.cloud.rule(stall)
            let upload = try await client.start(world.request(world.folder.file("film.mp4", 9 * MIB)))
            _ = try await upload.until("at work") { $0.progress.partsTotal > 0 }
            let waiting = Task { try await client.waitIdle() }
            try await eventually("it waits") { client.board.watching == 1 }
            try await check(!client.close(timeoutMs: 0), "it is cut off")
            try await same(thrown(PartwayError.self) { _ = try await soon { try await waiting.value } }.info.name, "closed")
        }
    }

    @Test func a_fake_rests_alike() async throws {
        let fake = FakeClient()
        var idles = fake.idles.makeAsyncIterator()
        try await same(idles.next()?.atRest, true, "it begins with the present")
        fake.play(.fake("one"))
        fake.play("one", .active(phase: .uploading))
        for timeoutMs: Int64 in [0, 20] {
            try await same(soon { try await fake.waitIdle(timeoutMs: timeoutMs) }.active, 1)
            try await same(soon { try await fake.runUntilIdle(timeoutMs: timeoutMs) }.active, 1, "the time is over")
        }
        let waiting = Task { try await fake.waitIdle(timeoutMs: 600_000) }
        try await eventually("it waits") { fake.board.watching == 1 }
        fake.play("one", .paused)
        try await same(soon { try await waiting.value }.atRest, true)
        try await same(idles.next()?.atRest, true)
        fake.resume(.all)
        _ = try await fake.hold(timeoutMs: 0)
        try await same(idles.next()?.queued, 1, "held is rest, with one in line")
        let running = Task { try await fake.runUntilIdle() }
        try await eventually("it runs") { !fake.told.held && fake.board.watching == 1 }
        await fake.close(timeoutMs: 0)
        try await same(thrown(PartwayError.self) { _ = try await soon { try await running.value } }.info.name, "closed")
        try await same(idles.next(), nil)
    }

    @Test func what_waits_for_ever_keeps_no_hold_waiting() async throws {
        try await World.with { world in
            let client = try await world.open()
            let stuck = Stuck()
            let waiting = (0..<100).map { _ in Task { try await Source.reader(stuck).digests() } }
            try await eventually("some have begun") { stuck.reads.value > 1 }
            let file = try world.folder.file("film.mp4", MIB)
            _ = try await soon { try await client.start(world.request(file)) }
            try await check(soon { try await client.hold(timeoutMs: 30_000) }.atRest, "it is held")
            let another = try await soon { try await world.open(world.folder.root.appendingPathComponent("another")) }
            try await check(soon { await another.close(timeoutMs: 30_000) }, "it rests")
            try await check(soon { await client.close(timeoutMs: 30_000) }, "it rests")
            stuck.go()
            for wait in waiting { try await same(soon { try await wait.value }.sizeBytes, 1) }
        }
    }

    @Test func it_works_until_it_is_closed_also_when_nobody_keeps_it() async throws {
        try await World.with { world in
            weak var kept: Client?
            let file = try world.folder.file("film.mp4", 5 * MIB)
            do {
                let client = try await world.open { $0.autostart = false }
                kept = client
                _ = try await client.start(world.request(file))
            }
            world.forgetClients()
            kept?.go()
            try await eventually("it is stored") { try await world.cloud.stored("film.mp4") != nil }
            try await world.checkStored("film.mp4", file)
            try check(kept != nil, "it is there")
            let again = try await world.open()
            try check(again === kept, "the same")
            try await check(again.close(timeoutMs: 30_000), "it rests")
        }
    }

    @Test func closures_are_cancelled_with_the_client() async throws {
        try await World.with { world in
            let (asked, cancelled) = (Kept<[String]>([]), Kept<[String]>([]))
            @Sendable func never(_ who: String) async throws {
                asked.change { $0.append(who) }
                try await withTaskCancellationHandler {
                    try await Task.sleep(nanoseconds: 3_600_000_000_000)
                } onCancel: {
                    cancelled.change { $0.append(who) }
                }
            }
            let client = try await world.open(configure: { configuration in
                configuration.limits = Limits(parallelUploads: 3)
                configuration.credentials = { ask in
                    if ask.service() == .kooDrive { return .appSigner(appId: "sandbox-app", userId: "1505084218764547200") }
                    try await never("credentials")
                    return nil
                }
                configuration.sources = { _ in
                    try await never("sources")
                    return nil
                }
                configuration.signer = { _ in
                    try await never("signer")
                    return nil
                }
            })
            let file = try world.folder.file("film.mp4", MIB)
            _ = try await client.start(world.request(file))
            // Of one account one is asked at a time.
            let koo = Target.kooDrive(endpoint: world.cloud.api, account: "another", container: world.cloud.container, parent: "root", name: "film.mp4")
            _ = try await client.start(UploadRequest(key: "koo", target: koo, source: .file(file)))
            _ = try await client.start(UploadRequest(key: "later", target: world.target("later"), source: .later(token: Data([1]))))
            let all = ["credentials", "signer", "sources"]
            try await eventually("all are asked") { Set(asked.value) == Set(all) }
            try same(cancelled.value, [])
            await client.close(timeoutMs: 30_000)
            try same(cancelled.value.sorted(), asked.value.sorted())
        }
    }
}
