import Foundation
import Partway
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What a scenario stands on: a cloud, a folder, a way to open clients, the transport that is tested.
final class World: @unchecked Sendable { // What changes is behind the lock.
    let cloud: Cloud
    let folder: Folder
    private let transport: Counted?
    /// For the built-in transport.
    private let extraCaPem: String?
    private let lock = NSLock()
    private var clients: [Client] = []

    private init(_ carrier: Carrier, secure: Bool, trusts: Bool) async throws {
        cloud = try await Cloud(secure: secure)
        folder = try Folder()
        transport = carrier == .urlSession ? Counted() : nil
        let authority = secure && trusts ? try cloud.authority() : nil
        extraCaPem = carrier == .builtIn ? authority : nil
        if carrier == .urlSession, let authority { try Authorities.add(authority) }
    }

    /// Runs `test` in a world of its own, and closes what it opened.
    static func with(
        _ carrier: Carrier = .builtIn, secure: Bool = false, trusts: Bool = true, _ test: (World) async throws -> Void
    ) async throws {
        let world = try await World(carrier, secure: secure, trusts: trusts)
        let outcome: (any Error)?
        do {
            try await test(world)
            try check(world.transport?.calls.value != 0, "nothing went over URLSession")
            outcome = nil
        } catch {
            outcome = error
        }
        // At rest: what is cut off may still write into the folder that goes.
        for client in world.lock.withLock({ world.clients }) { await client.close(timeoutMs: 10_000) }
        world.forgetClients()
        world.transport?.carrier.close()
        world.cloud.close()
        try world.folder.remove()
        if let outcome { throw outcome }
    }

    func forgetClients() { lock.withLock { clients = [] } }

    func open(
        _ state: URL? = nil, configure: (inout Configuration) -> Void = { _ in }, token: (@Sendable (String, Why) async throws -> String?)? = nil
    ) async throws -> Client {
        let known = cloud.token
        var configuration = Configuration(stateDirectory: state ?? folder.state, token: token ?? { _, _ in known })
        configuration.transport = transport
        configuration.extraCaPem = extraCaPem
        configuration.limits = Limits(parallelParts: 4)
        configure(&configuration)
        let client = try await Client.open(configuration)
        lock.withLock { clients.append(client) }
        return client
    }

    func target(_ path: String, _ mode: SmhMode = .multipart) -> Target {
        .smh(endpoint: cloud.api, account: "me", library: cloud.library, space: "-", path: path, mode: mode, createParents: true)
    }

    /// Sent whatever the cloud has: recognising content is a scenario of its own.
    func request(
        _ file: URL, _ path: String? = nil, group: String? = nil, tags: [String: String] = [:], instant: InstantMode = .off,
        partSizeBytes: Int64? = nil, parallelParts: Int32? = nil, network: NetworkPolicy? = nil
    ) -> UploadRequest {
        let path = path ?? file.lastPathComponent
        return UploadRequest(
            key: path, target: target(path), source: .file(file), group: group, tags: tags, instant: instant, partSizeBytes: partSizeBytes,
            parallelParts: parallelParts, network: network)
    }

    func checkStored(_ path: String, _ file: URL) async throws {
        let ours = try await Source.file(file).digests().sha256
        try check(ours != nil, "no digest")
        try await same(cloud.stored(path), ours, "\(path) is not what was sent")
    }
}

/// Who carries the requests.
enum Carrier: String, CaseIterable, Sendable {
    case builtIn
    case urlSession

    var isFoundationOnLinux: Bool {
        #if canImport(FoundationNetworking)
        self == .urlSession
        #else
        false
        #endif
    }
}

/// Whom URLSession trusts.
private enum Authorities {
    private static let lock = NSLock()

    static func add(_ authority: String) throws {
        let file = try FileHandle(forWritingTo: required(Place.authorities, "nothing can be trusted here"))
        try lock.withLock {
            // In place: it is this file that the system's is covered with.
            try file.seekToEnd()
            try file.write(contentsOf: Data(authority.utf8))
            try file.close()
        }
    }
}

/// URLSession, and how often it was used.
private final class Counted: Transport {
    let carrier: URLSessionTransport
    let calls = Kept(0)

    init() {
        let configuration = URLSessionTransport.standard()
        // Fifty parts at once.
        configuration.httpMaximumConnectionsPerHost = 64
        carrier = URLSessionTransport(configuration)
    }

    func execute(call: TransportCall) throws {
        calls.change { $0 += 1 }
        try carrier.execute(call: call)
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
}

func check(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    if !holds { throw Failure(description: what()) }
}

func same<T: Equatable>(_ one: T, _ other: T, _ what: String = "") throws {
    try check(one == other, "\(what): \(one), not \(other)")
}

func required<T>(_ value: T?, _ what: String) throws -> T {
    guard let value else { throw Failure(description: "missing: \(what)") }
    return value
}

/// The error that is thrown, which must be of this kind.
func thrown<E: Error>(_ kind: E.Type, _ body: () async throws -> Void) async throws -> E {
    do {
        try await body()
    } catch let error as E {
        return error
    }
    throw Failure(description: "\(kind) was to be thrown")
}

/// As long as anything may take before a test fails.
func soon<T: Sendable>(_ what: String = "", _ body: @escaping @Sendable () async throws -> T) async throws -> T {
    try await withThrowingTaskGroup(of: T.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(nanoseconds: 60_000_000_000)
            throw Failure(description: "not within a minute: \(what)")
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw Failure(description: what) }
        return first
    }
}

/// Waits for something that nobody announces.
func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
    let end = Date().addingTimeInterval(60)
    while try await !holds() {
        try check(Date() < end, "never: \(what)")
        try await Task.sleep(nanoseconds: 10_000_000)
    }
}

extension Upload {
    func until(_ what: String = "", _ fits: @escaping @Sendable (Snapshot) -> Bool) async throws -> Snapshot {
        try await soon(what) {
            var last: Snapshot?
            for await snapshot in snapshots {
                if fits(snapshot) { return snapshot }
                last = snapshot
            }
            throw Failure(description: "ended before: \(what), \(String(describing: last?.state))")
        }
    }

    @discardableResult func untilWaiting(_ reason: WaitReason) async throws -> Waiting {
        try required(try await until("waiting for \(reason)") { $0.waiting?.reason == reason }.waiting, "waiting")
    }

    var soonReceipt: Receipt {
        get async throws { try await soon("the receipt of \(id)") { try await receipt } }
    }
}

extension Snapshot {
    var waiting: Waiting? {
        if case .waiting(let waiting) = state { waiting } else { nil }
    }
}

let MIB = 1 << 20
