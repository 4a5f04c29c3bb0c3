import Foundation

@testable import Partway

/// A value that several threads change.
final class Kept<T: Sendable>: @unchecked Sendable { // It is behind the lock.
    private let lock = NSLock()
    private var kept: T

    init(_ value: T) {
        kept = value
    }

    var value: T { lock.withLock { kept } }

    func change(_ change: (inout T) -> Void) { lock.withLock { change(&kept) } }
}

/// Gives little at a time, so that it is called often.
final class Drops: SourceReader {
    let bytes: Data
    let bytesARead: Int
    let reads = Kept(0)

    init(_ bytes: Data, _ bytesARead: Int) {
        self.bytes = bytes
        self.bytesARead = bytesARead
    }

    func lengthBytes() throws -> Int64 { Int64(bytes.count) }

    func readAt(offset: Int64, bytesMax: Int32) throws -> Data {
        reads.change { $0 += 1 }
        let from = Int(offset)
        return bytes.subdata(in: from..<min(bytes.count, from + min(Int(bytesMax), bytesARead)))
    }

    func concurrent() throws -> Bool { true }
}

/// As long as a file that can be read.
final class Unreadable: SourceReader {
    private let sizeBytes: Int

    init(_ sizeBytes: Int) {
        self.sizeBytes = sizeBytes
    }

    func lengthBytes() throws -> Int64 { Int64(sizeBytes) }
    func readAt(offset: Int64, bytesMax: Int32) throws -> Data { throw Failure(description: "canary-reader") }
    func concurrent() throws -> Bool { true }
}

/// A host on the generated face itself, whose listener throws whatever it is told: an error of its own, then one of ours, and so on.
final class RawHost: CredentialProvider, Listener {
    let threw = Kept(0)
    private let token: String

    init(_ token: String) {
        self.token = token
    }

    func provide(ask: CredentialAsk) throws { try ask.supply(credential: .token(value: Secret(token))) }

    func onChanges(changes: [Snapshot]) throws {
        threw.change { $0 += 1 }
        if threw.value % 2 == 1 { throw Failure(description: "a listener that throws") }
        throw HostError.Failed(detail: "a listener that throws")
    }

    func onForgotten(ids: [String]) throws { throw Failure(description: "forgotten") }

    func onIdle(idle: Idle) throws { throw Failure(description: "idle") }
}

/// A host on the generated face itself, whose listener keeps each ending as often as it is told.
final class RawEndings: CredentialProvider, Listener {
    let told = Kept<[String: [State]]>([:])
    private let token: String

    init(_ token: String) {
        self.token = token
    }

    func provide(ask: CredentialAsk) throws { try ask.supply(credential: .token(value: Secret(token))) }

    func onChanges(changes: [Snapshot]) {
        told.change { for change in changes where change.state.ended { $0[change.id, default: []].append(change.state) } }
    }

    func onForgotten(ids: [String]) {}

    func onIdle(idle: Idle) {}
}

/// Does not answer until it may.
final class Stuck: SourceReader {
    let reads = Kept(0)
    private let release = DispatchSemaphore(value: 0)

    func lengthBytes() throws -> Int64 { 1 }

    func readAt(offset: Int64, bytesMax: Int32) throws -> Data {
        reads.change { $0 += 1 }
        release.wait()
        release.signal()
        return Data([1])
    }

    func concurrent() throws -> Bool { true }

    func go() { release.signal() }
}

/// A transport that throws until it is told to carry.
final class Throwing: Transport {
    let carries = Kept(false)
    let threw = Kept(0)
    private let carrier = URLSessionTransport()

    func execute(call: TransportCall) throws {
        if carries.value { return try carrier.execute(call: call) }
        threw.change { $0 += 1 }
        throw Failure(description: "canary-transport")
    }

    func close() { carrier.close() }
}

/// A request to nobody, of nobody: it keeps how it ended.
final class Loose: TransportCall, @unchecked Sendable { // What changes is behind locks.
    let ends = Kept<[TransportFault?]>([])
    private let hooks = Kept<[any CancelHook]>([])
    private let url: String

    init(_ url: String) {
        self.url = url
        super.init(noHandle: NoHandle())
    }

    required init(unsafeFromHandle handle: UInt64) { fatalError("not of the library") }

    override func request() -> HttpRequest {
        HttpRequest(method: "GET", url: Secret(url), headers: [], expectContinue: false, answerBytesMax: 1000, patienceMs: 30_000)
    }

    override func bodyLen() -> Int64 { 0 }

    override func sent(bytes: Int64) {}

    override func onCancel(hook: any CancelHook) { hooks.change { $0.append(hook) } }

    override func fail(fault: TransportFault) -> Bool {
        ends.change { $0.append(fault) }
        return true
    }

    override func respond(response: HttpResponse) -> Bool {
        ends.change { $0.append(nil) }
        return true
    }
}

/// Work that blocks, on a thread of its own.
func offPool<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}

extension Result {
    var failed: Bool { error != nil }

    var error: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}

/// HMAC of SHA-256 (RFC 2104), for keys that fit a block.
func hmacSHA256(_ key: String, _ text: String) throws -> String {
    func hashed(_ bytes: [UInt8]) throws -> [UInt8] {
        let hex = try required(digest(source: .memory(Data(bytes))).sha256, "no digest")
        return stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
    }
    let block = Array(key.utf8) + Array(repeating: UInt8(0), count: 64 - key.utf8.count)
    let inner = try hashed(block.map { $0 ^ 0x36 } + Array(text.utf8))
    return try hashed(block.map { $0 ^ 0x5c } + inner).map { String(format: "%02x", $0) }.joined()
}
