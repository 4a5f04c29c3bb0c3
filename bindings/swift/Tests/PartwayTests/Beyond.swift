import Foundation
import Testing
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@testable import Partway

/// What only this language has to show.
@Suite(.serialized) struct Beyond {
    @Test func nothing_is_held_after_100000_callbacks() async throws {
        try await World.with { world in
            let callbacks = 100_000, bytesARead = 64
            weak var reader: Drops?
            weak var client: Client?
            weak var board: Board?
            let reads: Kept<Int>
            do {
                let drops = Drops(content(callbacks * bytesARead, 1), bytesARead)
                reads = drops.reads
                let opened = try await world.open()
                (reader, client, board) = (drops, opened, opened.board)
                let upload = try await opened.start(
                    UploadRequest(key: "drops", target: world.target("drops"), source: .reader(drops), instant: .off))
                _ = try await upload.soonReceipt
                try same(opened.board.watching, 0, "nobody waits any more")
                try same(opened.board.subscribed, 0, "nobody watches any more")
                try await check(opened.close(timeoutMs: 30_000), "it rests")
            }
            try check(reads.value >= callbacks, "\(reads.value) callbacks")
            world.forgetClients()
            try await eventually("the reader is given back") { reader == nil }
            try await eventually("the client is given back") { client == nil && board == nil }
        }
    }

    @Test func koodrive_with_the_hosts_signatures() async throws {
        try await World.with { world in
            let signed = Kept(0)
            let client = try await world.open(configure: { configuration in
                configuration.credentials = { ask in
                    try same(ask.service(), .kooDrive)
                    return .appSigner(appId: "sandbox-app", userId: "1505084218764547200")
                }
                configuration.signer = { ask in
                    // What a server of the app's own does.
                    signed.change { $0 += 1 }
                    return try hmacSHA256("sandbox-app-secret", ask.stringToSign())
                }
            })
            let file = try world.folder.file("film.mp4", 12 * MIB)
            let request = UploadRequest(key: "koo", target: world.cloud.kooDrive("film.mp4"), source: .file(file))
            let receipt = try await client.start(request).soonReceipt
            try await same(receipt.sha256, Source.file(file).digests().sha256, "what is stored")
            // One signature for each request of the control plane, none for a part.
            var controls = 0
            for step in ["begin", "renew", "confirm"] { controls += try await world.cloud.steps(step) }
            try check(controls >= 2 && signed.value == controls, "signed \(signed.value) of \(controls)")
        }
    }

    @Test func errors_are_the_table_of_the_documents() throws {
        let text = try String(contentsOf: Place.root.appendingPathComponent("docs/errors.md"), encoding: .utf8)
        let documented = text.components(separatedBy: "\n").compactMap { line -> [String]? in
            let cells = line.components(separatedBy: " | ")
            guard line.hasPrefix("| "), line.hasSuffix(" |"), cells.count >= 5, Int(cells[0].dropFirst(2)) != nil else { return nil }
            let meaning = cells[4...].joined(separator: " | ").dropLast(2)
            return [String(cells[0].dropFirst(2)), cells[1].trimmingCharacters(in: ["`"]), cells[2], cells[3], String(meaning)]
        }
        let ours = errorCodes().map { ["\($0.code)", $0.name, snake("\($0.disposition)"), $0.remedy.key, $0.meaning] }
        try check(documented.count > 40, "\(documented.count) rows")
        try same(Set(documented), Set(ours))
        try same(documented.count, ours.count)
    }

    @Test func every_remedy_has_its_text() throws {
        for remedy in Set(errorCodes().map(\.remedy)) {
            let (english, chinese) = (remedy.text(languages: ["en-GB"]), remedy.text(languages: ["zh-Hans-CN", "en"]))
            try check(english.isEmpty == (remedy == .none) && chinese.isEmpty == english.isEmpty, remedy.key)
            try check(remedy == .none || chinese.unicodeScalars.contains { (0x4e00...0x9fa5).contains($0.value) }, remedy.key)
            try same(remedy.text(languages: ["fr"]), english, "what is not there is English")
            try same(remedy.key, snake("\(remedy)"))
        }
        // Word for word those of the other language.
        for (file, language) in [("remedies.properties", "en"), ("remedies_zh.properties", "zh")] {
            let url = Place.root.appendingPathComponent("bindings/kotlin/src/main/resources/partway/\(file)")
            let rows = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n").filter { $0.contains("=") && !$0.hasPrefix("#") }
            try same(rows.count, 12)
            for row in rows {
                let parts = row.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                let remedy = try required(Self.remedies.first { $0.key == parts[0] }, parts[0])
                try same(remedy.text(languages: [language]), unescaped(parts[1]), parts[0])
            }
        }
    }

    private static let remedies: [Remedy] = [
        .none, .waitForNetwork, .tryLater, .signInAgain, .askForAccess, .freeCloudSpace, .freeDeviceSpace, .chooseFileAgain, .chooseOtherName,
        .answerConflict, .updateApp, .contactSupport,
    ]

    @Test func a_fake_plays_snapshots() async throws {
        let fake = FakeClient()
        let target = Target.smh(endpoint: "https://example.com", account: "me", library: "library", space: "-", path: "photo.jpg")
        let request = UploadRequest(key: "photo", target: target, source: .memory(Data([1])), group: "chat")
        let upload = try await fake.start(request)
        try await same(fake.start(request), upload)
        let seen = Task { await upload.snapshots.reduce(into: [String]()) { $0.append("\($1.state.word)") } }
        var listing = fake.uploads(.group(group: "chat")).makeAsyncIterator()
        try await same(listing.next()?.map(\.key), ["photo"])
        fake.play(upload.id, .waiting(waiting: Waiting(
            reason: .conflict, sinceUnixMs: 0, retryInMs: nil, error: nil, choices: [.rename, .overwrite], needsHost: true, prepared: nil)))
        try await same(listing.next()?.first?.waiting?.choices, [.rename, .overwrite])
        try upload.answer(.overwrite)
        try same(fake.told.answers, [.overwrite])
        try same(upload.snapshot?.state, .queued)
        upload.cancel()
        _ = try await thrown(UploadCancelledError.self) { _ = try await upload.receipt }
        try await same(seen.value.last, "cancelled")
        var endings = fake.endings.makeAsyncIterator()
        try await same(endings.next()?.id, upload.id)
        fake.told.refuseNext = PartwayError.of("quota_exceeded", "full").info
        try await same(thrown(PartwayError.self) { _ = try await fake.start(request) }.info.code, 4005)
        let again = try await upload.retry()
        try check(again.id != upload.id && fake.snapshot(upload.id) == nil, "it is another one")
        try await same(thrown(PartwayError.self) { try again.answer(.rename) }.info.name, "wrong_state")
        try await same(thrown(PartwayError.self) { try fake.attachSource("nobody", .memory(Data())) }.info.name, "unknown_upload")
        fake.play(again.id, .failed(error: PartwayError.of("quota_exceeded", "full").info))
        try await startsSay(fake, request, .continued(from: again.id))
    }

    @Test func a_start_says_what_it_came_to() async throws {
        try await World.with { world in
            let client = try await world.open()
            try await world.cloud.rule(#""step":"part","how":"stall","after_bytes":1000"#)
            let file = try world.folder.file("film.mp4", 9 * MIB)
            try await startsSay(client, world.request(file), .new)
            let fresh = world.request(file, "fresh")
            let all = try await client.startAll([world.request(file), fresh, fresh, world.request(file, partSizeBytes: 1)])
            try same(all.map { try? $0.get().how }, [.alreadyThere, .new, .alreadyThere, nil])
            try same(all[1].get(), all[2].get(), "one of that key")
            // Many at once, more than are read at a time.
            client.cancel(.all)
            try await eventually("they are ended") { client.list(.all).allSatisfy(\.state.ended) }
            let before = Set(client.list(.all).map(\.id))
            let many = (0..<150).map { world.request(file, "many\($0)") }
            let uploads = try await client.startAll([world.request(file), fresh] + many).map { try $0.get() }
            try same(Set(client.board.snapshots.map(\.id)), Set(uploads.map(\.id)), "rows")
            try check(uploads[..<2].allSatisfy { if case .continued(let from)? = $0.how { before.contains(from) } else { false } }, "they go on")
            try check(uploads[2...].allSatisfy { $0.how == .new }, "they are new")
        }
    }

    @Test func a_list_wakes_for_what_is_in_it_alone() async throws {
        let fake = FakeClient()
        fake.play(.fake("one", group: "a"))
        fake.play(.fake("two", group: "b"))
        let looks = Kept(0)
        let mine = Select.group(group: "a")
        let seen = Task {
            await fake.board.first(of: .rows(mine)) { shown -> Board.Look<Int> in
                looks.change { $0 += 1 }
                return shown.rows(mine).count == 1 ? .notYet : .found(shown.rows(mine).count)
            }
        }
        try await eventually("it waits") { fake.board.watching == 1 }
        for bytes in 1...100 { fake.play("two", .active(phase: .uploading), progress: .fake(Int64(bytes), of: 100)) }
        try same([fake.board.watching, looks.value], [1, 1], "what is not in it is nothing to look at")
        fake.play(.fake("three", group: "a"))
        try await same(seen.value, 2)
        // One that goes is seen, and one that comes in its place.
        var listing = fake.uploads(mine).makeAsyncIterator()
        try await same(listing.next()?.map(\.id), ["one", "three"])
        fake.play("three", .cancelled(remote: .nothingThere))
        try await same(listing.next()?.map(\.state.ended), [false, true])
        try await same(fake.forget(mine), 1)
        try await same(listing.next()?.map(\.id), ["one"])
        fake.cancel(mine)
        _ = try await fake.forget(mine)
        fake.play(.fake("four", group: "a"))
        try await same(listing.next()?.map(\.id), ["four"])
    }

    @Test func a_damaged_journal_is_a_problem() async throws {
        try await World.with { world in
            let client = try await world.open { $0.autostart = false }
            let file = try world.folder.file("film.mp4", MIB)
            let damaged = try await client.start(world.request(file, "damaged"))
            let whole = try await client.start(world.request(file, "whole"))
            try same(client.problems.count, 0)
            try await check(client.close(timeoutMs: 30_000), "it rests")
            let journal = world.folder.state.appendingPathComponent("\(damaged.id).journal")
            var bytes = try Data(contentsOf: journal)
            bytes[bytes.count / 2] ^= 0xff
            try bytes.write(to: journal)
            let next = try await world.open()
            try same(next.problems.map(\.id), [damaged.id])
            try same(next.problems.map(\.error.name), ["journal_corrupt"])
            try check(next.find("damaged") == nil, "it is set aside")
            try check(FileManager.default.fileExists(atPath: journal.path + ".corrupt-1"), "it is kept")
            _ = try await next.upload(whole.id).soonReceipt
            try await world.checkStored("whole", file)
        }
    }

    @Test func each_iterator_is_a_subscription_of_its_own_and_conflated() async throws {
        let fake = FakeClient()
        fake.play(.fake("one", progress: .fake(0, of: 100)))
        let upload = fake.upload("one")
        var early = upload.snapshots.makeAsyncIterator()
        try await same(early.next()?.progress.bytesShown, 0, "it begins with the present")
        for bytes in 1...100 { fake.play("one", .active(phase: .uploading), progress: .fake(Int64(bytes), of: 100)) }
        var late = upload.snapshots.makeAsyncIterator()
        try await same(late.next()?.progress.bytesShown, 100, "it begins with the present")
        try await same(early.next()?.progress.bytesShown, 100, "the latest alone")
        // Both wait, and hear of the same.
        let (one, other) = (afterPresent(upload), afterPresent(upload))
        try await eventually("both wait") { fake.board.watching == 2 }
        fake.play("one", .paused)
        try await same(one.value?.state, .paused)
        try await same(other.value?.state, .paused)
        // A task that is cancelled waits no more, and nothing of it is left.
        let cancelled = afterPresent(upload)
        try await eventually("it waits") { fake.board.watching == 1 }
        cancelled.cancel()
        try await same(cancelled.value, nil)
        try same(fake.board.watching, 0)
        // Each ending once to each, also while rows change.
        var changes = fake.changes.makeAsyncIterator()
        try await same(changes.next()?.id, "one")
        fake.play(.fake("two"))
        fake.play("one", .queued)
        try await same([changes.next()?.id, changes.next()?.id], ["two", "one"])
        await fake.close(timeoutMs: 0)
        try await same(changes.next(), nil)
    }

    @Test func the_quick_start_uploads() async throws {
        try await World.with { world in
            let file = try world.folder.file("some-file", MIB)
            let cloud = world.cloud
            let child = try Child(Place.program("QuickStart"), [cloud.api, cloud.library, cloud.token, file.path])
            try await same(child.end(), "stored as some-file, \(MIB) bytes\n")
            try await world.checkStored("first/some-file", file)
        }
    }

    @Test func the_quick_start_says_what_it_waits_for() async throws {
        try await World.with { world in
            let file = try world.folder.file("mistyped", MIB)
            let cloud = world.cloud
            // Nobody listens there.
            let child = try Child(Place.program("QuickStart"), ["http://127.0.0.1:1", cloud.library, cloud.token, file.path], eachLine: true)
            _ = try await child.line { $0.contains("waiting for retry: PW-3003 connect_failed") }
            child.kill()
            _ = try await child.end()
            // The right address comes too late for this key, and it says what to do.
            let again = try Child(Place.program("QuickStart"), [cloud.api, cloud.library, cloud.token, file.path], eachLine: true)
            let line = try await again.line { $0.contains("to begin over, delete ") }
            again.kill()
            _ = try await again.end()
            let folder = try required(line.components(separatedBy: "delete ").last?.trimmingCharacters(in: .whitespacesAndNewlines), line)
            try FileManager.default.removeItem(atPath: folder)
            let third = try Child(Place.program("QuickStart"), [cloud.api, cloud.library, cloud.token, file.path])
            try await same(third.end(), "stored as mistyped, \(MIB) bytes\n")
            // What can't be mended is said as well.
            let fourth = try Child(Place.program("QuickStart"), [cloud.api, "no-library", cloud.token, file.path])
            try await check(fourth.end().hasPrefix("PW-4017 space_not_found "), "it is said")
        }
    }

    @Test func every_snippet_of_the_document_is_compiled() throws {
        let folder = Place.root.appendingPathComponent("bindings/swift/Examples")
        let files = try required(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil), folder.path)
        let compiled = try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }.map { try String(contentsOf: $0, encoding: .utf8) }
        let text = try String(contentsOf: Place.root.appendingPathComponent("docs/swift.md"), encoding: .utf8)
        let snippets = text.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        try check(snippets.count >= 5, "\(snippets.count) snippets")
        for snippet in snippets { try check(compiled.contains(snippet), "in no file of Examples:\n\(snippet)") }
        try same(Set(snippets).count, compiled.count, "files of Examples that are in the document")
    }

    @Test func policies_retries_and_looks() async throws {
        try await World.with { world in
            let file = try world.folder.file("film.mp4", 9 * MIB)
            let client = try await world.open()
            let refused = try await thrown(PartwayError.self) { _ = try await client.start(world.request(file, network: .unmetered)) }
            try same(refused.info.code, 1001, "it would wait for ever")
            client.setNetwork(Network(state: .online, metered: true, generation: 1))
            let upload = try await client.start(world.request(file, network: .unmetered))
            try await upload.untilWaiting(.networkPolicy)
            try same(client.idle().wants, .unmetered)
            try check(upload.explain()?.blockedBy.contains(.networkPolicy) ?? false, "it is explained")
            try await world.cloud.rule(#""step":"part","how":"stall","after_bytes":1000,"after":1"#)
            try same(client.change(.all, Change(network: .any)), 1)
            _ = try await upload.until("one part") { $0.progress.partsDone == 1 }
            guard case .found(let task) = try await client.lookRemote(upload.id) else { throw Failure(description: "it is there") }
            try check(task.complete == false && task.parts?.count == 1, "\(task)")
            let timeline = try required(try await client.timelineJson(upload.id), "the timeline")
            try check(timeline.contains("\"journal\"") && !timeline.contains("film.mp4") && !timeline.contains(world.cloud.token), timeline)
            try await client.signOut("me", then: .hold)
            try await upload.untilWaiting(.credential)
            upload.cancel()
            _ = try await upload.until("ended") { $0.state.ended }
            try await world.cloud.clearRules()
            try client.setCredential("me", .token(value: Secret(world.cloud.token), expiresInMs: 3_600_000))
            let again = try await upload.retry()
            try check(again.id != upload.id && client.board.snapshot(of: upload.id) == nil, "another one of the same key")
            _ = try await again.soonReceipt
            try await world.checkStored("film.mp4", file)
            try await same(thrown(PartwayError.self) { _ = try await client.retry(again.id) }.info.name, "wrong_state")
            try check(version().first?.isNumber ?? false, version())
            let none = Source.file(world.folder.root.appendingPathComponent("none"))
            try await same(thrown(PartwayError.self) { _ = try await none.digests() }.info.category, .source)
            try await same(thrown(PartwayError.self) { _ = try await Source.file(file).digests(partSizeBytes: -1) }.info.code, 1001)
        }
    }

    @Test func a_descriptor_is_a_source() async throws {
        try await World.with { world in
            let file = try world.folder.file("film.mp4", 5 * MIB)
            let fd = open(file.path, O_RDONLY)
            try check(fd > 2, "\(fd)")
            let client = try await world.open()
            let upload = try await client.start(UploadRequest(key: "fd", target: world.target("fd"), source: .fd(fd, owned: true)))
            _ = try await upload.soonReceipt
            try await world.checkStored("fd", file)
            let none = UploadRequest(key: "no", target: world.target("no"), source: .fd(-1, owned: false))
            try await same(thrown(PartwayError.self) { _ = try await client.start(none) }.info.code, 1001)
            // A range of one that stays ours; it is closed as soon as the start is over.
            let ours = open(file.path, O_RDONLY)
            let range = try await client.start(
                UploadRequest(
                    key: "range", target: world.target("range"), source: .fd(ours, owned: false, offset: 1000, sizeBytes: Int64(3 * MIB))))
            try same(close(ours), 0)
            _ = try await range.soonReceipt
            let expected = world.folder.root.appendingPathComponent("expected")
            try Data(contentsOf: file).subdata(in: 1000..<(1000 + 3 * MIB)).write(to: expected)
            try await world.checkStored("range", expected)
        }
    }

    @Test func a_transport_that_nobody_keeps_ends_its_session() async throws {
        var transport: URLSessionTransport? = URLSessionTransport()
        let session = try required(transport?.session, "its session")
        try check(session.delegate != nil, "it works")
        transport = nil
        try await eventually("it is ended") { session.delegate == nil }
    }

    @Test func secrets_are_not_printed() throws {
        let canary = "canary-token"
        let secrets: [Any] = [
            Secret(canary), Credential.token(value: Secret(canary)), Credential.appKey(appId: "app", appSecret: Secret(canary), userId: "user"),
            [Secret(canary)],
        ]
        for secret in secrets {
            var dumped = ""
            dump(secret, to: &dumped)
            try check(!"\(secret) \(String(reflecting: secret)) \(dumped)".contains(canary), "\(type(of: secret)) is printed")
        }
        try check(Secret(canary) == Secret(canary) && Secret(canary) != Secret("other"), "they can be compared")
    }

    @Test func opened_twice_it_is_one_client() async throws {
        try await World.with { world in
            let client = try await world.open()
            try await check(world.open() === client, "the same")
            await client.close(timeoutMs: 30_000)
            try await check(world.open() !== client, "another")
        }
    }
}

/// What `start` says of an upload that comes, is there, and was cancelled: for every client.
private func startsSay(_ client: any UploadClient, _ request: UploadRequest, _ first: How) async throws {
    let upload = try await client.start(request)
    try same(upload.how, first)
    if case .continued(let from) = first { try check(client.board.snapshot(of: from) == nil, "it is gone at once") }
    let again = try await client.start(request)
    try same(again.how, .alreadyThere)
    try check(again == upload && client.upload(upload.id) == upload && client.upload(upload.id).how == nil, "it is the same, however it was come by")
    upload.cancel()
    _ = try await upload.until("ended") { $0.state.ended }
    let next = try await client.start(request)
    try same(next.how, .continued(from: upload.id))
    try check(next != upload && client.find(request.key)?.id == next.id, "another one")
    try same(client.board.snapshots.map(\.id), [next.id], "the old one is gone at once")
    next.cancel()
    _ = try await next.until("ended") { $0.state.ended }
    let third = try await next.retry()
    try same(third.how, .continued(from: next.id))
    try same(client.board.snapshots.map(\.id), [third.id], "the old one is gone at once")
}

/// The snapshot after the present one, as a task.
private func afterPresent(_ upload: Upload) -> Task<Snapshot?, Never> {
    Task {
        var snapshots = upload.snapshots.makeAsyncIterator()
        _ = await snapshots.next()
        return await snapshots.next()
    }
}

/// `chooseFileAgain` as `choose_file_again`.
private func snake(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
}

/// Text with `\uXXXX` in it.
private func unescaped(_ text: String) -> String {
    var parts = text.components(separatedBy: "\\u")
    let first = parts.removeFirst()
    return parts.reduce(first) { $0 + String(UnicodeScalar(UInt32($1.prefix(4), radix: 16) ?? 0) ?? " ") + $1.dropFirst(4) }
}

extension State {
    fileprivate var word: String { String("\(self)".prefix { $0 != "(" }) }
}
