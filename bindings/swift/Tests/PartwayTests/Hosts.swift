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

final class Unreadable: SourceReader {
    func lengthBytes() throws -> Int64 { Int64(MIB) }
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
