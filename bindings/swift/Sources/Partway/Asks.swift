import Foundation

/// The tasks that answer asks: what they throw is "not now", and they end with the client.
final class Answering: @unchecked Sendable { // Everything in it is behind the lock.
    private let lock = NSLock()
    private var tasks: [UInt64: Task<Void, Never>] = [:]
    private var last: UInt64 = 0
    private var over = false
    private let log: (@Sendable (LogLevel, String, String) -> Void)?

    init(log: (@Sendable (LogLevel, String, String) -> Void)?) {
        self.log = log
    }

    func run(_ answer: @escaping @Sendable () async throws -> Void) {
        lock.withLock {
            if over { return }
            last += 1
            let number = last
            tasks[number] = Task { [self] in
                do {
                    try await answer()
                } catch {
                    // Its words can hold anything.
                    log?(.error, "host", "what was asked for a credential, a source or a signature threw \(type(of: error))")
                }
                done(number)
            }
        }
    }

    func close() {
        let left = lock.withLock {
            over = true
            defer { tasks = [:] }
            return Array(tasks.values)
        }
        left.forEach { $0.cancel() }
    }

    private func done(_ number: UInt64) {
        _ = lock.withLock { tasks.removeValue(forKey: number) }
    }
}

/// An ask becomes a task. Freed unanswered, which is what happens when the task ends, it is "not now".
final class Credentials: CredentialProvider {
    private let answering: Answering
    private let source: @Sendable (CredentialAsk) async throws -> Credential?

    init(_ answering: Answering, _ source: @escaping @Sendable (CredentialAsk) async throws -> Credential?) {
        self.answering = answering
        self.source = source
    }

    func provide(ask: CredentialAsk) {
        answering.run { [source] in
            if let credential = try await source(ask) { try ask.supply(credential: credential) }
        }
    }
}

final class SourceOpener: SourceProvider {
    private let answering: Answering
    private let opener: @Sendable (SourceAsk) async throws -> Source?

    init(_ answering: Answering, _ opener: @escaping @Sendable (SourceAsk) async throws -> Source?) {
        self.answering = answering
        self.opener = opener
    }

    func `open`(ask: SourceAsk) {
        answering.run { [opener] in
            if let source = try await opener(ask) { try ask.supply(source: source) }
        }
    }
}

final class Signatures: Signer {
    private let answering: Answering
    private let signer: @Sendable (SignAsk) async throws -> String?

    init(_ answering: Answering, _ signer: @escaping @Sendable (SignAsk) async throws -> String?) {
        self.answering = answering
        self.signer = signer
    }

    func sign(ask: SignAsk) {
        answering.run { [signer] in
            if let signature = try await signer(ask) { ask.supply(signature: Secret(signature)) }
        }
    }
}

final class Lines: LogSink {
    private let line: @Sendable (LogLevel, String, String) -> Void

    init(_ line: @escaping @Sendable (LogLevel, String, String) -> Void) {
        self.line = line
    }

    func log(level: LogLevel, target: String, line: String) {
        pooled { self.line(level, target, line) }
    }
}

/// What the native side tells goes to the board.
final class Told: Listener {
    private let board: Board

    init(_ board: Board) {
        self.board = board
    }

    func onChanges(changes: [Snapshot]) { pooled { board.show(changes) } }

    func onForgotten(ids: [String]) { pooled { board.forgotten(ids) } }

    func onIdle(idle: Idle) { pooled { board.rested(idle) } }
}
