import Foundation
import Testing

@testable import Partway

private let stall = #""step":"part","how":"stall","after_bytes":1000"#

/// The scenarios that every language of this library passes: tests/scenarios.txt. One after the other: each has a cloud of its own, and few cores are enough.
@Suite(.serialized) struct Scenarios {
    @Test(arguments: Carrier.allCases) func upload(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            let client = try await world.open()
            let file = try world.folder.file("photo.jpg", 9 * MIB + 5)
            let request = world.request(file, "Camera/photo.jpg", group: "camera", tags: ["thumb": "7"])
            let upload = try await client.start(request)
            try await same(client.start(request), upload, "the same key is the same upload")
            let receipt = try await upload.soonReceipt
            try same(receipt.name, "photo.jpg")
            try same(receipt.sizeBytes, Int64(9 * MIB + 5))
            try await world.checkStored("Camera/photo.jpg", file)
            let end = try required(upload.snapshot, "the ending")
            try check(end.progress.fraction == 1 && end.progress.partsDone == 3, "\(end.progress)")
            try check(end.tags == ["thumb": "7"] && end.key == "Camera/photo.jpg", "\(end)")
            var listing = client.uploads(.group(group: "camera")).makeAsyncIterator()
            try await same(listing.next()?.map(\.id), [upload.id])
            try await check(upload.forget(), "it has ended")
            try await same(listing.next(), [])
            try check(client.board.snapshots.isEmpty && client.find("Camera/photo.jpg") == nil, "it is forgotten")
            try await check(!upload.forget(), "forgotten once")
            // A screen that comes back.
            try await same(upload.snapshots.reduce(into: 0) { count, _ in count += 1 }, 0)
            try await same(thrown(PartwayError.self) { _ = try await upload.receipt }.info.name, "unknown_upload")
            // The other kinds of sources.
            let bytes = content(MIB, 3)
            let memory = try await client.start(UploadRequest(key: "memory", target: world.target("memory"), source: .memory(bytes)))
            _ = try await memory.soonReceipt
            let reader = try await client.start(
                UploadRequest(key: "reader", target: world.target("reader"), source: .reader(Drops(bytes, 10_000)), instant: .off))
            _ = try await reader.soonReceipt
            let stored = try required(try await world.cloud.stored("memory"), "the object")
            try await same(world.cloud.stored("reader"), stored, "both are the same bytes")
        }
    }

    @Test(arguments: Carrier.allCases) func instant(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            let client = try await world.open()
            let file = try world.folder.file("film.mp4", 3 * MIB)
            _ = try await client.start(world.request(file, "a")).soonReceipt
            let again = try await client.start(world.request(file, "b", instant: .always))
            try await check(again.soonReceipt.instant, "it is recognised")
            try same(again.snapshot?.progress.bytesSent, 0)
            try await world.checkStored("b", file)
        }
    }

    @Test(arguments: Carrier.allCases) func pause_resume_cancel(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            let client = try await world.open()
            try await world.cloud.rule(stall)
            let file = try world.folder.file("film.mp4", 9 * MIB)
            let upload = try await client.start(world.request(file))
            _ = try await upload.until("at work") { $0.progress.partsTotal > 0 }
            upload.pause()
            _ = try await upload.until("paused") { $0.state == .paused }
            // A wait that is cancelled cancels nothing.
            let waiting = Task { try await upload.receipt }
            waiting.cancel()
            _ = try await thrown(CancellationError.self) { _ = try await waiting.value }
            try same(upload.snapshot?.state, .paused)
            try await world.cloud.clearRules()
            upload.resume()
            _ = try await upload.soonReceipt
            try await world.checkStored("film.mp4", file)

            try await world.cloud.rule(stall)
            let other = try await client.start(world.request(file, "other"))
            _ = try await other.until("at work") { $0.progress.partsTotal > 0 }
            other.cancel()
            let cancelled = try await thrown(UploadCancelledError.self) { _ = try await other.soonReceipt }
            try check(cancelled.remote == .aborted || cancelled.remote == .nothingThere, "\(cancelled.remote)")
            try await same(world.cloud.stored("other"), nil)

            // Unless it was asked for.
            let third = try await client.start(world.request(file, "third"))
            let bound = Task { try await withUploadCancellation(third) { try await third.receipt } }
            _ = try await third.until("at work") { $0.progress.partsTotal > 0 }
            bound.cancel()
            let end = try await third.until("ended") { $0.state.ended }
            guard case .cancelled = end.state else { throw Failure(description: "\(end.state)") }
            try await check(bound.result.failed, "it does not give a receipt")
        }
    }

    @Test func kill_and_restore() async throws {
        try await World.with { world in
            let file = try world.folder.file("film.mp4", 40 * MIB)
            // Two parts are taken, the others hang.
            try await world.cloud.rule(#""step":"part","how":"stall","after_bytes":1000,"after":2"#)
            let cloud = world.cloud
            let child = try Child(Place.program("Killed"), [world.folder.state.path, cloud.api, cloud.library, cloud.token, file.path])
            _ = try await child.line { $0 == "acknowledged 2" }
            child.kill()
            _ = try await child.end()
            try await cloud.clearRules()
            let before = try await cloud.steps("part")
            let client = try await world.open()
            try same(client.list(.all).count, 1)
            let upload = try required(client.find("film.mp4").map { client.upload($0.id) }, "the upload")
            _ = try await upload.soonReceipt
            try await world.checkStored("film.mp4", file)
            try await same(cloud.steps("part") - before, 8, "of 10 parts 2 were there")
            try await same(cloud.steps("begin"), 1)
        }
    }

    @Test(arguments: Carrier.allCases) func lost_token(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            let token = Kept<String?>("second")
            let asked = Kept<[String]>([])
            let client = try await world.open(token: { account, why in
                asked.change { $0.append("\(account) \(why)") }
                return token.value
            })
            try await world.cloud.tokens(#""only":["second"]"#)
            let file = try world.folder.file("photo.jpg", 5 * MIB)
            _ = try await client.start(world.request(file, "a")).soonReceipt
            try same(asked.value, ["me first"])
            // Refused later: asked for again, once.
            try await world.cloud.tokens(#""only":["third"]"#)
            token.change { $0 = "third" }
            _ = try await client.start(world.request(file, "b")).soonReceipt
            try same(asked.value, ["me first", "me refused"])
            // Nobody has one: a named wait, until one is set.
            try await world.cloud.tokens(#""only":["fourth"]"#)
            token.change { $0 = nil }
            let upload = try await client.start(world.request(file, "c"))
            let waiting = try await upload.untilWaiting(.credential)
            try check(waiting.error == nil || waiting.error?.remedy == .signInAgain, "\(waiting)")
            try client.setCredential("me", .token(value: Secret("fourth")))
            _ = try await upload.soonReceipt
            try await world.checkStored("c", file)
        }
    }

    @Test(arguments: Carrier.allCases) func conflict_answered(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            let client = try await world.open()
            let old = try world.folder.file("old", 2 * MIB)
            let new = try world.folder.file("new", 5 * MIB)
            _ = try await client.start(UploadRequest(key: "old", target: world.target("same"), source: .file(old))).soonReceipt
            let upload = try await client.start(
                UploadRequest(key: "new", target: world.target("same"), source: .file(new), conflict: .ask))
            let choices = try await upload.untilWaiting(.conflict).choices
            try check(choices.contains(.overwrite) && choices.contains(.rename), "\(choices)")
            let sent = try await world.cloud.steps("part")
            try upload.answer(.overwrite)
            try await check(upload.soonReceipt.overwritten, "it is replaced")
            try await same(world.cloud.steps("part"), sent, "nothing is sent again")
            try await world.checkStored("same", new)
        }
    }

    @Test(arguments: Carrier.allCases) func source_given_again(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            let file = try world.folder.file("photo.jpg", 5 * MIB)
            let asked = Kept<[String]>([])
            let client = try await world.open {
                $0.sources = { ask in
                    asked.change { $0.append(ask.key()) }
                    guard ask.key() == "opened" else { return nil }
                    ask.preparing(fraction: 0.5)
                    return .file(URL(fileURLWithPath: String(decoding: ask.token(), as: UTF8.self)))
                }
            }
            let opened = try await client.start(
                UploadRequest(key: "opened", target: world.target("opened"), source: .later(token: Data(file.path.utf8))))
            _ = try await opened.soonReceipt
            try await world.checkStored("opened", file)

            let upload = try await client.start(
                UploadRequest(key: "gone", target: world.target("gone"), source: .later(token: Data("no such thing".utf8))))
            try await eventually("it is asked for") { asked.value.contains("gone") }
            try await upload.untilWaiting(.source)
            try upload.attachSource(.file(file))
            _ = try await upload.soonReceipt
            try await world.checkStored("gone", file)

            // In the next client as well: nothing of it is lost with the one that waited.
            let later = try await client.start(
                UploadRequest(key: "later", target: world.target("later"), source: .later(token: Data("no such thing".utf8))))
            try await later.untilWaiting(.source)
            try await check(client.close(timeoutMs: 30_000), "it rests")
            let next = try await world.open { $0.sources = { _ in nil } }
            let again = try required(next.find("later").map { next.upload($0.id) }, "the upload")
            try same(again.id, later.id)
            try await again.untilWaiting(.source)
            try again.attachSource(.file(file))
            _ = try await again.soonReceipt
            try await world.checkStored("later", file)
        }
    }

    @Test(arguments: Carrier.allCases) func hold_and_go(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            let client = try await world.open()
            try await world.cloud.rule(stall)
            let file = try world.folder.file("film.mp4", 9 * MIB)
            let upload = try await client.start(world.request(file))
            _ = try await upload.until("at work") { $0.progress.partsTotal > 0 }
            try await check(!client.hold(timeoutMs: 0).atRest, "no time is too short for what is being sent")
            let began = Date()
            let idle = try await client.hold(timeoutMs: 30_000)
            try check(idle.atRest && idle.active == 0, "\(idle)")
            let took = Date().timeIntervalSince(began)
            try check(took < 1, "held after \(took) s")
            try await upload.untilWaiting(.held)
            try await world.cloud.clearRules()
            let asked = try await world.cloud.log().count
            let other = try await client.start(world.request(file, "other"))
            let still = try await client.hold(timeoutMs: 30_000)
            try check(still.atRest && still.active == 0, "\(still)")
            try await same(world.cloud.log().count, asked, "nothing is asked while held")
            try check(other.snapshot?.state.ended == false, "it goes on later")
            let rest = try await soon { try await client.runUntilIdle() }
            try check(rest.atRest && rest.active == 0, "\(rest)")
            _ = try await upload.soonReceipt
            _ = try await other.soonReceipt
            try await world.checkStored("film.mp4", file)

            // A background task that is stopped holds first.
            try await world.cloud.rule(stall)
            let third = try await client.start(world.request(file, "third"))
            let task = Task { try await client.runUntilIdle() }
            _ = try await third.until("at work") { $0.progress.partsTotal > 0 }
            task.cancel()
            _ = try await thrown(CancellationError.self) { _ = try await soon { try await task.value } }
            try check(client.idle().atRest, "it throws when it is held")
            try await third.untilWaiting(.held)
        }
    }

    @Test(arguments: Carrier.allCases) func error_mapping(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            let client = try await world.open()
            let file = try world.folder.file("film.mp4", 5 * MIB)
            let refused = try await thrown(PartwayError.self) { _ = try await client.start(world.request(file, partSizeBytes: 1)) }
            try check(refused.info.code == 1002 && refused.info.name == "part_size_unusable", "\(refused)")
            try check("\(refused)".hasPrefix("PW-1002 part_size_unusable: "), "\(refused)")
            let foundation = refused as NSError
            try check(foundation.domain == "partway" && foundation.code == 1002, "\(foundation)")
            try await same(thrown(PartwayError.self) { _ = try await client.start(world.request(file, partSizeBytes: -1)) }.info.code, 1001)
            try await same(thrown(PartwayError.self) { try client.attachSource("nobody", .file(file)) }.info.code, 1004)
            try await same(thrown(PartwayError.self) { _ = try await client.upload("nobody").receipt }.info.code, 1004)
            try check(client.upload("nobody").snapshot == nil && client.upload("nobody").explain() == nil, "there is none")
            let all = try await client.startAll([
                world.request(file, partSizeBytes: 1), world.request(file, "fine"), world.request(file, parallelParts: -1),
            ])
            try same(all.map { $0.error?.info.code }, [1002, nil, 1001])
            _ = try await all[1].get().soonReceipt
            // What a person can mend is a wait that names it.
            try await world.cloud.rule(#""step":"begin","how":"status","status":403,"code":"QuotaLimitReached""#)
            let full = try await client.start(world.request(file, "full"))
            let error = try required(try await full.until("an error") { $0.waiting?.error != nil }.waiting?.error, "error")
            try check(error.code == 4005 && error.remedy == .freeCloudSpace, "\(error)")
            try check(error.serviceCode == "QuotaLimitReached" && error.httpStatus == 403, "\(error)")
            try same(PartwayError(error).localizedDescription, Remedy.freeCloudSpace.text())
            try check(full.explain()?.remedy == .freeCloudSpace, "it is explained")
            full.cancel()
            // What nobody can mend ends it.
            try await world.cloud.clearRules()
            try await world.cloud.rule(#""step":"begin","how":"status","status":400,"code":"ParamInvalid""#)
            let failed = try await thrown(PartwayError.self) { _ = try await client.start(world.request(file, "failed")).soonReceipt }
            try check((4000..<5000).contains(failed.info.code) && failed.info.serviceCode == "ParamInvalid", "\(failed)")
        }
    }

    @Test func exactly_one_ending() async throws {
        try await World.with { world in
            let client = try await world.open()
            let file = try world.folder.file("small", MIB)
            try await world.cloud.rule(#""step":"begin","how":"status","status":400,"code":"ParamInvalid","path_contains":"bad""#)
            // Each iterator is a subscription of its own, and ends with the client.
            let collectors = (0..<2).map { _ in Task { await client.endings.reduce(into: []) { $0.append($1.id) } } }
            let uploads = try await client.startAll((0..<20).map { world.request(file, $0 % 5 == 0 ? "bad\($0)" : "fine\($0)") }).map { try $0.get() }
            for (at, upload) in uploads.enumerated() where at % 4 == 1 { upload.cancel() }
            for upload in uploads {
                // The sequence of one upload ends with its ending.
                let endings = try await soon { await upload.snapshots.reduce(into: 0) { $0 += $1.state.ended ? 1 : 0 } }
                try same(endings, 1)
            }
            // Cancels and pauses that come too late change nothing.
            try check(client.cancel(.all) == 0 && client.pause(.all) == 0, "they are ended")
            await client.close(timeoutMs: 30_000)
            let ids = uploads.map(\.id).sorted()
            for collector in collectors { try await same(soon { await collector.value }.sorted(), ids) }
            // Kept until it is taken, and told again.
            let next = try await world.open()
            try await same(soon { await next.endings.prefix(20).reduce(into: []) { $0.append($1.id) } }.sorted(), ids)
            try await same(next.forget(.all), 20)
            try check(next.board.snapshots.isEmpty, "they are forgotten")
            await next.close(timeoutMs: 30_000)
            try await check(world.open().list(.all).isEmpty, "for ever")

            // A sequence ends with an ending, and can't show another one: what is told itself can.
            let raw = RawEndings(world.cloud.token)
            let state = world.folder.root.appendingPathComponent("raw").path
            let native = try NativeClient.open(config: NativeConfig(stateDir: state, credentials: raw, listener: raw))
            let requests = (0..<20).map { world.request(file, $0 % 5 == 0 ? "raw-bad\($0)" : "raw-fine\($0)") }
            let started = try await offPool { native.startAll(requests: requests) }.map {
                guard case .started(let started) = $0 else { throw Failure(description: "\($0)") }
                return started.id
            }
            for (at, id) in started.enumerated() where at % 4 == 1 { try same(native.cancel(which: .one(id: id)), 1) }
            try await offPool { for id in started { try check(native.wait(id: id, timeoutMs: 60_000).state.ended, "it ends") } }
            try check(native.cancel(which: .all) == 0 && native.pause(which: .all) == 0, "they are ended")
            try await same(offPool { native.waitIdle(timeoutMs: 60_000).atRest }, true)
            let ends = Dictionary(uniqueKeysWithValues: native.list(which: .all).map { ($0.id, $0.state) })
            try await eventually("all are told") { raw.told.value.mapValues(\.last) == ends }
            try await same(offPool { native.forget(which: .all) }, 20)
            // Nothing is called any more.
            try await check(offPool { native.shutdown(timeoutMs: 30_000) }, "it rests")
            for (id, told) in raw.told.value {
                // Of a cancelled one it may be told later what could be undone; that is no other ending.
                if case .cancelled = told[0] {
                    try check(told.allSatisfy { if case .cancelled = $0 { true } else { false } } && told.count <= 2, "\(id): \(told)")
                } else {
                    try same(told.count, 1, "\(id): \(told)")
                }
            }
            try same(raw.told.value.mapValues(\.last), ends)
        }
    }

    @Test(arguments: Carrier.allCases) func fifty_parallel_uploads(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            let client = try await world.open { $0.limits = Limits(parallelUploads: 50, parallelParts: 50) }
            let files = try (0..<50).map { try world.folder.file("file\($0)", 64 << 10) }
            try await world.cloud.rule(stall)
            let uploads = try await client.startAll(files.map { world.request($0) }).map { try $0.get() }
            try await eventually("fifty parts are sent at once") { try await world.cloud.steps("part") == 50 }
            try same(client.idle().active, 50)
            try await world.cloud.clearRules()
            try await check(client.hold(timeoutMs: 30_000).atRest, "held")
            client.go()
            let names = try await withThrowingTaskGroup(of: String.self) { group in
                for upload in uploads { group.addTask { try await upload.soonReceipt.name } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            try same(names, Set(files.map(\.lastPathComponent)))
            for file in files { try await world.checkStored(file.lastPathComponent, file) }
        }
    }

    @Test func listener_that_throws() async throws {
        try await World.with { world in
            // The raw listener: what the sugar does can't throw.
            let file = try world.folder.file("photo.jpg", 5 * MIB)
            let raw = RawHost(world.cloud.token)
            let native = try NativeClient.open(config: NativeConfig(stateDir: world.folder.state.path, credentials: raw, listener: raw))
            let request = world.request(file, "a")
            let end = try await offPool { try native.wait(id: native.start(request: request).id, timeoutMs: 60_000) }
            guard case .completed = end.state else { throw Failure(description: "\(end.state)") }
            try await eventually("both kinds were thrown") { raw.threw.value >= 2 }
            _ = try await offPool { native.shutdown(timeoutMs: 30_000) }
            // Closures that throw: named waits, mended as any other, and logged by their type alone.
            let lines = Kept<[String]>([])
            let client = try await world.open {
                $0.sources = { _ in throw Failure(description: "canary-source") }
                $0.log = { level, target, line in lines.change { $0.append("\(level) \(target): \(line)") } }
                $0.logLevel = .debug
            } token: { _, _ in
                throw Failure(description: "canary-token")
            }
            let upload = try await client.start(world.request(file, "b"))
            try await upload.untilWaiting(.credential)
            try await eventually("it is logged") { lines.value.contains { $0.contains("Failure") } }
            try client.setCredential("me", .token(value: Secret(world.cloud.token)))
            _ = try await upload.soonReceipt
            let unreadable = try await client.start(UploadRequest(key: "c", target: world.target("c"), source: .reader(Unreadable(5 * MIB))))
            let waiting = try await unreadable.untilWaiting(.source)
            try check(waiting.error?.detail.contains("Failure") ?? false, "\(waiting)")
            try unreadable.attachSource(.file(file))
            _ = try await unreadable.soonReceipt
            try await world.checkStored("c", file)
            // A reader is of its process: the next client waits for another source, and a closure that throws is none.
            let left = try await client.start(UploadRequest(key: "d", target: world.target("d"), source: .reader(Unreadable(5 * MIB))))
            try await left.untilWaiting(.source)
            try await check(client.close(timeoutMs: 30_000), "it rests")
            let next = try await world.open { $0.sources = { _ in throw Failure(description: "canary-source") } }
            let again = next.upload(left.id)
            try await again.untilWaiting(.source)
            try again.attachSource(.file(file))
            _ = try await again.soonReceipt
            try await world.checkStored("d", file)
            try check(!lines.value.joined().contains("canary"), "\(lines.value)")
        }
    }

    @Test(arguments: Carrier.allCases) func client_closed_early(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            try await world.cloud.rule(stall)
            let file = try world.folder.file("film.mp4", 9 * MIB)
            let client = try await world.open()
            let upload = try await client.start(world.request(file))
            _ = try await upload.until("at work") { $0.progress.partsTotal > 0 }
            let waiting = Task { try await upload.receipt }
            await client.close(timeoutMs: 0)
            try await check(client.close(timeoutMs: 0), "twice is once")
            try await same(thrown(PartwayError.self) { _ = try await soon { try await waiting.value } }.info.name, "closed")
            // Whatever is called now does no harm, and says so where it could be missed.
            upload.pause()
            client.go()
            try await same(thrown(PartwayError.self) { _ = try await client.start(world.request(file, "late")) }.info.name, "closed")
            try await same(thrown(PartwayError.self) { try upload.attachSource(.file(file)) }.info.name, "closed")
            try client.setCredential("me", .token(value: Secret("late")))
            // What looks answers as it was last, all of it.
            let last = try required(upload.snapshot, "the last one")
            try check(!last.state.ended && client.list(.all) == [last] && client.find("film.mp4") == last, "it goes on later")
            try await same(upload.snapshots.reduce(into: []) { $0.append($1) }, [last])
            try check(client.list(.key(key: "other")).isEmpty, "there is none")
            try await same(client.endings.reduce(into: 0) { count, _ in count += 1 }, 0)
            try await world.cloud.clearRules()
            let next = try await world.open()
            try check(next !== client, "another client")
            _ = try await next.upload(upload.id).soonReceipt
            try await world.checkStored("film.mp4", file)
        }
    }
}
