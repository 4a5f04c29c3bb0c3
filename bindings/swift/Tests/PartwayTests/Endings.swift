import Foundation
import Testing

@testable import Partway

private let active = State.active(phase: .completing)
private let completed = State.completed(receipt: Receipt(
    name: "a", path: nil, fileId: nil, sizeBytes: 1, sha256: nil, crc64: nil, version: nil, instant: false, overwritten: false, requestId: nil,
    serviceJson: nil))

private func row(_ revision: Int64, _ state: State, _ id: String = "a") -> Snapshot { .fake(id, state: state).with(revision: revision) }

/// Who hears of endings, and what is left of what was forgotten.
@Suite(.serialized) struct Ends {
    @Test func whoever_waits_has_the_ending_of_what_is_forgotten() async throws {
        try await World.with { world in
            let client = try await world.open { $0.autostart = false }
            let file = try world.folder.file("small", 64 << 10)
            for round in 0..<5 {
                // None of them ends before it is waited for: what has ended is watched by nobody.
                try await check(client.hold(timeoutMs: 30_000).atRest, "it is held")
                let uploads = try await client.startAll((0..<10).map { world.request(file, "\(round)/\($0)") }).map { try $0.get() }
                let waiting = uploads.map { upload in Task { try await upload.receipt } }
                try await eventually("all wait") { client.board.subscribed == 10 }
                client.go()
                // Looked for, not waited for: what is told of the endings may come later.
                try await eventually("nothing works") { try client.idle().atRest }
                let stored = client.list(.all).map(\.id)
                try await same(client.forget(.all), 10)
                try same(Set(stored), Set(uploads.map(\.id)))
                try check(client.board.snapshots.isEmpty && client.list(.all).isEmpty, "they are gone")
                for wait in waiting { _ = try await soon { try await wait.value } }
            }
            try await leftNothing(client)
        }
    }

    @Test func a_slow_iterator_has_every_ending_once() async throws {
        try await World.with { world in
            let client = try await world.open()
            let file = try world.folder.file("small", 64 << 10)
            let gone = Kept(false)
            let (quick, slow) = (Kept<[String]>([]), Kept<[String]>([]))
            let quickly = Task {
                for await ended in client.endings {
                    quick.change { $0.append(ended.id) }
                    try await same(client.forget(.one(id: ended.id)), 1, "told before, or too early")
                }
            }
            let slowly = Task {
                for await ended in client.endings {
                    slow.change { $0.append(ended.id) }
                    try await eventually("all are gone") { gone.value }
                }
            }
            try await eventually("both watch") { client.board.subscribed == 2 }
            let uploads = try await client.startAll((0..<20).map { world.request(file, "file\($0)") }).map { try $0.get().id }
            _ = try await soon { try await client.runUntilIdle() }
            try await eventually("all are forgotten") { quick.value.count >= 20 && client.board.snapshots.isEmpty }
            try await leftNothing(client)
            try same(slow.value.count, 1)
            gone.change { $0 = true }
            // To the last line: nothing is told again behind it.
            try await eventually("the slow one has all") { slow.value.count >= 20 }
            try await check(client.close(timeoutMs: 30_000), "it rests")
            try await soon {
                try await quickly.value
                try await slowly.value
            }
            try same(quick.value.sorted(), uploads.sorted())
            try same(slow.value.sorted(), uploads.sorted())
        }
    }

    @Test func late_changes_make_no_rows() async throws {
        let board = Board()
        let told = Kept<[String]>([])
        let collector = Task { for await ended in Endings(board: board) { told.change { $0.append(ended.id) } } }
        board.show([row(1, active)])
        let seen = Task { await Snapshots(board: board, id: "a").reduce(into: [Int64]()) { $0.append($1.revision) } }
        try await eventually("both wait") { board.watching == 2 }
        // A call forgets it: it sees the ending, which the listener has not told yet.
        board.show([row(3, completed)])
        board.drop(["a"])
        try check(board.snapshots.isEmpty && board.departing == 1, "it is gone")
        try await same(seen.value, [1, 3])
        board.show([row(2, active), row(3, completed), row(4, completed)])
        try check(board.snapshots.isEmpty, "it came back")
        board.forgotten(["a"])
        // Told first, before the call is back.
        board.show([row(1, completed, "b")])
        board.forgotten(["b"])
        board.drop(["b"])
        try check(board.snapshots.isEmpty && board.departing == 0, "nothing is left")
        try await eventually("both are told") { told.value == ["a", "b"] }
        board.close()
        await collector.value
        try same(told.value, ["a", "b"])
        try same(board.subscribed, 0)
    }

    @Test func an_ending_that_only_comes_late_is_told() async throws {
        let board = Board()
        board.show([row(1, active)])
        var endings = Endings(board: board).makeAsyncIterator()
        let waiting = Task { await Snapshots(board: board, id: "a").reduce(into: []) { $0.append($1.state.ended) } }
        try await eventually("it waits") { board.watching == 1 }
        // It ended and was forgotten within the call: nobody has seen the ending yet.
        board.drop(["a"])
        let late = Task { await Snapshots(board: board, id: "a").reduce(into: []) { $0.append($1.state.ended) } }
        try await eventually("both wait") { board.watching == 2 }
        try check(board.snapshots.isEmpty, "it is gone")
        board.show([row(2, completed)])
        try await same(waiting.value, [false, true])
        try await same(late.value, [false, true])
        try await same(endings.next()?.id, "a")
        board.forgotten(["a"])
        try check(board.snapshots.isEmpty && board.departing == 0, "nothing is left")
        try await same(Snapshots(board: board, id: "a").reduce(into: 0) { count, _ in count += 1 }, 0)
    }

    @Test func what_is_retried_is_gone_and_told() async throws {
        try await World.with { world in
            let client = try await world.open()
            let file = try world.folder.file("film.mp4", 9 * MIB)
            try await world.cloud.rule(#""step":"part","how":"stall","after_bytes":1000"#)
            let upload = try await client.start(world.request(file))
            _ = try await upload.until("at work") { $0.progress.partsTotal > 0 }
            let waiting = Task { try await upload.receipt }
            var endings = client.endings.makeAsyncIterator()
            try await eventually("both watch") { client.board.subscribed == 2 }
            upload.cancel()
            _ = try await soon { try await client.runUntilIdle() }
            try await world.cloud.clearRules()
            let again = try await upload.retry()
            try check(upload.snapshot == nil && client.board.snapshot(of: upload.id) == nil, "it is gone")
            _ = try await thrown(UploadCancelledError.self) { _ = try await soon { try await waiting.value } }
            _ = try await again.soonReceipt
            try await same([endings.next()?.id, endings.next()?.id], [upload.id, again.id])
            try await check(again.forget(), "it has ended")
            try await leftNothing(client)
        }
    }

    @Test func what_is_old_leaves_the_rows() async throws {
        try await World.with { world in
            let client = try await world.open {
                $0.endedKeptMs = 200
                $0.autostart = false
            }
            let upload = try await client.start(world.request(world.folder.file("small", 64 << 10)))
            let waiting = Task { try await upload.soonReceipt }
            // Who comes later than so long finds nothing.
            try await eventually("it is waited for") { client.board.subscribed == 1 }
            client.go()
            _ = try await waiting.value
            try await eventually("it is too old") { client.board.snapshots.isEmpty }
            try check(upload.snapshot == nil && client.list(.all).isEmpty, "it is gone")
            try await same(soon { await upload.snapshots.reduce(into: 0) { count, _ in count += 1 } }, 0)
            try await leftNothing(client)
        }
    }

    @Test func a_fake_tells_endings_alike() async throws {
        let fake = FakeClient()
        fake.play(.fake("before", state: completed))
        fake.play(.fake("now"))
        let waiting = Task { try await fake.upload("now").receipt }
        let seen = (0..<2).map { _ in Task { await fake.endings.reduce(into: []) { $0.append($1.id) } } }
        try await eventually("all watch") { fake.board.subscribed == 3 }
        fake.play("now", completed)
        try await same(fake.forget(.all), 2)
        try check(fake.list(.all).isEmpty, "they are gone")
        try await same(waiting.value.name, "a")
        fake.play(.fake("busy"))
        let run = Task { try await fake.runUntilIdle() }
        try await eventually("it runs") { fake.board.watching >= 3 }
        run.cancel()
        _ = try await thrown(CancellationError.self) { _ = try await run.value }
        try check(fake.told.held, "who is cancelled holds")
        await fake.close(timeoutMs: 0)
        for task in seen { try await same(task.value, ["before", "now"]) }
        try await same(thrown(PartwayError.self) { _ = try await fake.upload("busy").receipt }.info.name, "closed")
        try check(fake.pause(.all) == 0 && fake.list(.all).map(\.id) == ["busy"] && fake.find("busy") != nil, "as it was last")
    }

    @Test func a_close_keeps_nobody_else_waiting() async throws {
        try await World.with { world in
            let (armed, within) = (Kept(false), Kept(0))
            let release = DispatchSemaphore(value: 0)
            let client = try await world.open {
                $0.logLevel = .debug
                $0.log = { _, _, _ in
                    guard armed.value else { return }
                    within.change { $0 += 1 }
                    release.wait()
                    release.signal()
                }
            }
            _ = try await client.start(world.request(world.folder.file("small", 64 << 10))).soonReceipt
            armed.change { $0 = true }
            _ = try await client.start(world.request(world.folder.file("other", 64 << 10)))
            try await eventually("the log is in a line that does not end") { within.value > 0 }
            let closing = Task { await client.close(timeoutMs: 600_000) }
            // Another directory is not concerned.
            let another = try await soon { try await world.open(world.folder.root.appendingPathComponent("another")) }
            try await check(soon { await another.close(timeoutMs: 30_000) }, "it rests")
            _ = await client.close(timeoutMs: 0)
            let next = try await soon { try await world.open() }
            try check(next !== client && next.find("small")?.state.ended == true, "another client")
            release.signal()
            _ = try await soon { await closing.value }
        }
    }
}

/// What an upload's life left in the client, once it was told.
private func leftNothing(_ client: Client) async throws {
    try await eventually("it was told that they are forgotten") { client.board.departing == 0 }
    try check(client.board.snapshots.isEmpty, "\(client.board.snapshots.map(\.id)) came back")
}
