import Foundation
import Testing

@testable import Partway

/// The cases of tests/transports.txt, which every transport in every language comes through: each by each transport, over http and over https.
@Suite(.serialized) struct Transports {
    /// Cases at once: they wait more than they work.
    private static let atOnce = 4

    @Test(arguments: Way.all) func every_case(_ way: Way) async throws {
        let cases = try Case.all().filter { $0.foundationOnLinux == nil || !way.carrier.isFoundationOnLinux }
        try check(!cases.isEmpty, "there are none")
        let (next, failed) = (Kept(0), Kept([String]()))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.atOnce {
                group.addTask {
                    while true {
                        var at = 0
                        next.change { (at, $0) = ($0, $0 + 1) }
                        if at >= cases.count { break }
                        do {
                            try await World.with(way.carrier, secure: way.secure) { try await cases[at].comesThrough($0) }
                        } catch {
                            failed.change { $0.append("\(cases[at].name): \(error)") }
                        }
                    }
                }
            }
        }
        try check(failed.value.isEmpty, "\(failed.value.count) cases failed\n\(failed.value.joined(separator: "\n"))")
    }

    @Test(arguments: Way.all.filter(\.secure)) func an_unknown_authority_is_refused(_ way: Way) async throws {
        let carrier = way.carrier
        // Whose authority is known.
        try await World.with(carrier, secure: true) { other in
            for pem in [nil, try other.cloud.authority()] {
                try await World.with(carrier, secure: true, trusts: false) { world in
                    let client = try await world.open(configure: { if carrier == .builtIn { $0.extraCaPem = pem } })
                    let upload = try await client.start(world.request(world.folder.file("photo.jpg", MIB)))
                    let waiting = try required(try await upload.until("an error") { $0.state.ended || $0.waiting?.error != nil }.waiting, "a wait")
                    try same(waiting.error?.category, .network, "\(waiting)")
                    try await same(world.cloud.log().count + world.cloud.objects().count, 0, "nothing came through")
                }
            }
            let client = try await other.open()
            _ = try await client.start(other.request(other.folder.file("photo.jpg", MIB))).soonReceipt
        }
    }
}

/// What a transport of a host's does beside its cases.
@Suite(.serialized) struct Carriers {
    @Test func one_that_throws_is_a_connection_that_broke() async throws {
        try await World.with { world in
            let carrier = Throwing()
            let lines = Kept<[String]>([])
            let client = try await world.open {
                $0.transport = carrier
                $0.extraCaPem = nil
                $0.logLevel = .debug
                $0.log = { _, _, line in lines.change { $0.append(line) } }
            }
            let file = try world.folder.file("film.mp4", 5 * MIB)
            let upload = try await client.start(world.request(file))
            let error = try required(try await upload.until("an error") { $0.waiting?.error != nil }.waiting?.error, "error")
            try check(error.name == "connection_cut" && carrier.threw.value > 0, "\(error)")
            carrier.carries.change { $0 = true }
            upload.resume()
            _ = try await upload.soonReceipt
            try await world.checkStored("film.mp4", file)
            try check(!lines.value.joined().contains("canary"), "\(lines.value)")
            try await check(client.close(timeoutMs: 30_000), "it rests")
            carrier.close()
        }
    }

    @Test func one_that_is_closed_gives_connections_that_broke() async throws {
        let carrier = URLSessionTransport()
        carrier.close()
        carrier.close()
        let late = Loose("http://127.0.0.1:1/")
        try carrier.execute(call: late)
        try same(late.ends.value, [.cut])
        // At the same time: each call has one end, and the process none.
        for _ in 0..<20 {
            let carrier = URLSessionTransport()
            let calls = (0..<20).map { _ in Loose("http://127.0.0.1:1/") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (at, call) in calls.enumerated() {
                    group.addTask { try await offPool { try carrier.execute(call: call) } }
                    if at == 10 { group.addTask { try await offPool { carrier.close() } } }
                }
                try await group.waitForAll()
            }
            try await eventually("each has its end") { calls.allSatisfy { $0.ends.value.count == 1 } }
            let faults = calls.flatMap(\.ends.value)
            try check(faults.allSatisfy { $0 == .cut || $0 == .connect }, "\(faults)")
        }
    }

    @Test func an_address_is_used_as_it_is_or_not_at_all() throws {
        for text in ["http://127.0.0.1:1/a%20b?sign=a%2Fb%3D&x=1%2B1&name=%E7%85%A7", "https://example.com/?q=a+b~c;d=(1)", "https://example.com"] {
            try same(URLSessionTransport.url(text)?.absoluteString, text)
        }
        for text in ["", "http://127.0.0.1:1/a b", "http://127.0.0.1:1/\u{7167}", "http://127.0.0.1:1/?a=<b>", "http://127.0.0.1:1/%zz^"] {
            try same(URLSessionTransport.url(text), nil)
        }
        let carrier = URLSessionTransport()
        let call = Loose("http://127.0.0.1:1/a b")
        try carrier.execute(call: call)
        try same(call.ends.value, [.malformed])
        carrier.close()
    }

    @Test func a_large_body_is_not_held() async throws {
        try await World.with { world in
            let (small, large) = (try world.folder.file("small", 1 << 10), try world.folder.file("film.mp4", 40 * MIB))
            let cloud = world.cloud
            let child = try Child(Place.program("Carried"), [world.folder.state.path, cloud.api, cloud.library, cloud.token, small.path, large.path])
            let peaks = try await child.end().split(separator: "\n").compactMap { Int($0) }
            try check(peaks.count == 2, "\(peaks)")
            try await world.checkStored("film.mp4", large)
            try await same(cloud.steps("put"), 2, "each in one request")
            try check(peaks[1] - peaks[0] < 16 << 10, "\(peaks) KiB")
        }
    }
}

/// Who carries the requests, and how. URLSession is told whom to trust where the system's certificates can be covered.
struct Way: Sendable, CustomTestStringConvertible {
    let carrier: Carrier
    let secure: Bool
    var testDescription: String { "\(carrier), \(secure ? "https" : "http")" }

    static let all = [
        Way(carrier: .builtIn, secure: false), Way(carrier: .builtIn, secure: true), Way(carrier: .urlSession, secure: false),
    ] + (Place.authorities == nil ? [] : [Way(carrier: .urlSession, secure: true)])
}

/// A line of the list.
private struct Case: Sendable {
    let name: String
    let isSmh: Bool
    let rules: String
    let counts: [(what: String, bounds: ClosedRange<Int>)]
    /// What it makes of the case, where that is none for a transport.
    let foundationOnLinux: String?

    static func all() throws -> [Case] {
        let text = try String(contentsOf: Place.root.appendingPathComponent("tests/transports.txt"), encoding: .utf8)
        return try text.components(separatedBy: "\n").filter { !$0.isEmpty && !$0.hasPrefix("#") }.map(Case.init)
    }

    init(_ line: String) throws {
        let fields = line.components(separatedBy: " | ")
        try check((4...5).contains(fields.count) && ["smh", "koodrive"].contains(fields[1]), line)
        name = "\(fields[0]) at \(fields[1])"
        isSmh = fields[1] == "smh"
        rules = fields[3]
        foundationOnLinux = fields.count > 4 ? fields[4] : nil
        counts = try fields[2].components(separatedBy: " ").map { field in
            let sides = field.components(separatedBy: "=")
            try check(sides.count == 2, line)
            let bounds = try sides[1].components(separatedBy: "..").map { try required(Int($0), line) }
            return (sides[0], bounds[0]...bounds[bounds.count - 1])
        }
    }

    func comesThrough(_ world: World) async throws {
        let cloud = world.cloud
        try await cloud.rules(rules.replacingOccurrences(of: "{data}", with: cloud.data))
        // One that was refused is not taken again.
        let tokens = isSmh ? [cloud.token, "fresh-token"] : [cloud.kooDriveToken, "Bearer fresh-token"]
        try await cloud.tokens(#""add":"\#(tokens[1])""# + (isSmh ? "" : #","service":"koodrive""#))
        let asked = Kept(0)
        let client = try await world.open(token: { _, _ in
            var at = 0
            asked.change { (at, $0) = ($0, $0 + 1) }
            return tokens[min(at, 1)]
        })
        let file = try world.folder.file("photo.jpg", isSmh ? 9 * MIB + 5 : 12 * MIB)
        let upload = try await client.start(
            UploadRequest(
                key: "photo", target: isSmh ? world.target("photo.jpg") : cloud.kooDrive("photo.jpg"), source: .file(file), instant: .off,
                partSizeBytes: Int64(isSmh ? MIB : 5 * MIB)))
        _ = try await upload.soonReceipt
        let objects = try await cloud.objects()
        try same(objects.count, 1, "objects")
        try same((objects[0]["path"] as? [String])?.last, "photo.jpg")
        try await same(objects[0]["sha256"] as? String, required(Source.file(file).digests().sha256, "a digest"), "what is stored")
        let log = try await cloud.log()
        let told = log.map { line in ["seq", "step", "part", "status", "rule", "body_bytes"].map { "\(line[$0] ?? "-")" }.joined(separator: " ") }
            .joined(separator: "\n")
        for rule in try await cloud.rules() {
            let (seen, after) = (rule["seen"] as? Int, rule["after"] as? Int)
            try check(required(seen, "seen") > required(after, "after"), "never met: \(rule)\n\(told)")
        }
        try same(log.filter { $0["step"] as? String == "any" }.count, 0, "requests that went elsewhere\n\(told)")
        for (what, bounds) in counts {
            let count = what == "credential" ? asked.value : log.filter { $0["step"] as? String == what }.count
            try check(bounds.contains(count), "\(what): \(count), not \(bounds)\n\(told)")
        }
    }
}
