import Foundation

/// A client for an app's own tests and previews: no file, no network, no thread. It plays the snapshots that it is given, and keeps what it was told. Rows,
/// waits, endings and rests are those of the real client, and so is what starts and retries come to; no closure is ever asked. What the real client does behind
/// a post, it does at once. Any thread may call it; nothing blocks.
public final class FakeClient: UploadClient, @unchecked Sendable { // What changes is behind the lock.
    public let board = Board()
    public let problems: [Problem] = []
    private let lock = NSLock()
    private var kept = Kept()
    private var resting = true

    /// What was told to a fake.
    public struct Kept: Sendable {
        /// What was started, by id.
        public var requests: [String: UploadRequest] = [:]
        /// Conflicts that were answered, in order.
        public var answers: [ConflictChoice] = []
        /// Sources that were attached, by id.
        public var attached: [String: Source] = [:]
        /// Credentials that were set, by account.
        public var credentials: [String: Credential] = [:]
        /// What was changed, in order.
        public var changes: [Change] = []
        /// The network that was told last.
        public var network: Network?
        /// The bounds that were set last.
        public var limits: Limits?
        /// True between `hold` and `go`.
        public var held = false
        /// The error that the next `start` throws.
        public var refuseNext: ErrorInfo?
    }

    public init() {
        board.ask(Board.Reader(idle: { [weak self] in try? self?.idle() }))
    }

    /// What it was told; may be set, too. A copy.
    public var told: Kept {
        get { lock.withLock { kept } }
        set { lock.withLock { kept = newValue } }
    }

    /// Shows `snapshot`, as the newest of its id.
    public func play(_ snapshot: Snapshot) {
        board.show([snapshot.with(revision: (board.snapshot(of: snapshot.id)?.revision ?? 0) + 1)])
        settle()
    }

    /// Shows the upload of `id` in another state, and as far as `progress`, or as far as it was.
    public func play(_ id: String, _ state: State, progress: Progress? = nil) {
        guard let row = board.snapshot(of: id) else { preconditionFailure("nothing was played of \(id)") }
        play(row.with(state: state, progress: progress))
    }

    public func start(_ request: UploadRequest) async throws -> Upload {
        try open()
        let refusal = change { told in
            defer { told.refuseNext = nil }
            return told.refuseNext
        }
        if let refusal { throw PartwayError(refusal) }
        guard let known = find(request.key) else { return begin(request, .new) }
        switch known.state {
        // What is asked for again after these is wanted, and not there.
        case .failed, .cancelled: return begin(request, .continued(from: known.id))
        case .queued, .active, .waiting, .paused, .completed: return Upload(client: self, id: known.id, how: .alreadyThere)
        }
    }

    private func begin(_ request: UploadRequest, _ how: How) -> Upload {
        let id = change { told in
            let number = String(told.requests.count + 1)
            let id = String(repeating: "0", count: 26 - number.count) + number
            told.requests[id] = request
            return id
        }
        if case .continued(let from) = how { board.forgotten([from]) }
        play(.fake(id, key: request.key, group: request.group, tags: request.tags))
        return Upload(client: self, id: id, how: how)
    }

    public func startAll(_ requests: [UploadRequest]) async throws -> [Result<Upload, PartwayError>] {
        try open()
        var results: [Result<Upload, PartwayError>] = []
        for request in requests {
            do {
                results.append(.success(try await start(request)))
            } catch let error as PartwayError {
                results.append(.failure(error))
            }
        }
        return results
    }

    @discardableResult public func pause(_ which: Select) -> Int { move(which, .paused) }

    @discardableResult public func resume(_ which: Select) -> Int { move(which, .queued) }

    @discardableResult public func cancel(_ which: Select) -> Int { move(which, .cancelled(remote: .nothingThere)) }

    @discardableResult public func forget(_ which: Select) async throws -> Int {
        try open()
        let ended = list(which).filter(\.state.ended).map(\.id)
        board.forgotten(ended)
        return ended.count
    }

    public func retry(_ id: String) async throws -> Upload {
        try open()
        let row = try there(id)
        switch row.state {
        case .failed, .cancelled: break
        case .queued, .active, .waiting, .paused, .completed: throw PartwayError.of("wrong_state", "it did not fail, and was not cancelled")
        }
        guard let request = told.requests[id] else { throw PartwayError.of("wrong_state", "it was played, not started") }
        return begin(request, .continued(from: id))
    }

    @discardableResult public func change(_ which: Select, _ change: Change) throws -> Int {
        try open()
        self.change { $0.changes.append(change) }
        return list(which).filter { !$0.state.ended }.count
    }

    public func answerConflict(_ id: String, _ choice: ConflictChoice) throws {
        try open()
        guard case .waiting(let waiting) = try there(id).state, waiting.choices.contains(choice) else {
            throw PartwayError.of("wrong_state", "it does not wait for that answer")
        }
        change { $0.answers.append(choice) }
        play(id, choice == .cancel ? .cancelled(remote: .nothingThere) : .queued)
    }

    public func attachSource(_ id: String, _ source: Source) throws {
        try open()
        _ = try there(id)
        change { $0.attached[id] = source }
        play(id, .queued)
    }

    public func snapshot(_ id: String) -> Snapshot? { board.snapshot(of: id) }

    public func find(_ key: String) -> Snapshot? { board.snapshots.last { $0.key == key } }

    public func list(_ which: Select) -> [Snapshot] { board.snapshots.filter(which.fits) }

    public func explain(_ id: String) -> Explanation? {
        snapshot(id).map {
            Explanation(
                state: $0.state, sinceUnixMs: $0.changedUnixMs, blockedBy: [], nextTryMs: nil, attempts: 0, retriesLeft: 0, remedy: .none, text: "")
        }
    }

    public func timelineJson(_ id: String) async throws -> String? { nil }

    public func lookRemote(_ id: String) async throws -> RemoteLook { .noSession }

    public func setCredential(_ account: String, _ credential: Credential) throws {
        if !board.isClosed { change { $0.credentials[account] = credential } }
    }

    public func signOut(_ account: String, then: SignOut) async throws { change { $0.credentials[account] = nil } }

    public func setNetwork(_ network: Network) { change { $0.network = network } }

    public func setLimits(_ limits: Limits) { change { $0.limits = limits } }

    public func setProxy(_ proxy: Secret?) throws {}

    public func go() { settle { $0.held = false } }

    public func goOnly(_ ids: [String]) { go() }

    @discardableResult public func hold(timeoutMs: Int64) async throws -> Idle {
        try open()
        settle { $0.held = true }
        return try idle()
    }

    public func idle() throws -> Idle {
        try open()
        let all = board.snapshots
        func count(_ fits: (State) -> Bool) -> Int32 { Int32(all.filter { fits($0.state) }.count) }
        let (active, queued) = (count { if case .active = $0 { true } else { false } }, count { $0 == .queued })
        return Idle(
            atRest: told.held || active + queued == 0, active: active, queued: queued, bytesRemaining: 0, nextWakeMs: nil, wants: .any,
            waitingForPerson: count { if case .waiting = $0 { true } else { false } })
    }

    public func waitIdle(timeoutMs: Int64?) async throws -> Idle { try await firstRest(timeoutMs: timeoutMs) }

    public func runUntilIdle(timeoutMs: Int64?) async throws -> Idle { try await goUntilRest(timeoutMs: timeoutMs) }

    @discardableResult public func close(timeoutMs: Int64) async -> Bool {
        board.close()
        return true
    }

    /// What a closed client can't do any more.
    private func open() throws {
        if board.isClosed { throw PartwayError.closed() }
    }

    private func there(_ id: String) throws -> Snapshot {
        guard let row = board.snapshot(of: id) else { throw PartwayError.of("unknown_upload", "there is no upload of that id") }
        return row
    }

    @discardableResult private func change<T>(_ change: (inout Kept) -> T) -> T { lock.withLock { change(&kept) } }

    /// A rest that is new is told; one after `said` is.
    private func settle(_ said: ((inout Kept) -> Void)? = nil) {
        if let said {
            lock.withLock {
                said(&kept)
                resting = false
            }
        }
        guard let now = try? idle() else { return }
        let new = lock.withLock {
            defer { resting = now.atRest }
            return now.atRest && !resting
        }
        if new { board.rested(now) }
    }

    private func move(_ which: Select, _ state: State) -> Int {
        let moved = board.isClosed ? [] : list(which).filter { !$0.state.ended }
        moved.forEach { play($0.id, state) }
        return moved.count
    }
}

extension Snapshot {
    /// A snapshot for a test or a preview.
    public static func fake(
        _ id: String, key: String? = nil, group: String? = nil, tags: [String: String] = [:], state: State = .queued, progress: Progress = .fake()
    ) -> Snapshot {
        Snapshot(
            id: id, key: key ?? id, group: group, tags: tags, service: .smh, account: "me", destination: key ?? id, network: .any, revision: 1,
            state: state, progress: progress, createdUnixMs: 0, changedUnixMs: 0)
    }

    func with(revision: Int64? = nil, state: State? = nil, progress: Progress? = nil) -> Snapshot {
        Snapshot(
            id: id, key: key, group: group, tags: tags, service: service, account: account, destination: destination, network: network,
            revision: revision ?? self.revision, state: state ?? self.state, progress: progress ?? self.progress, createdUnixMs: createdUnixMs,
            changedUnixMs: changedUnixMs)
    }
}

extension Progress {
    /// A progress for a test or a preview: so many bytes of so many.
    public static func fake(_ bytes: Int64 = 0, of total: Int64 = 0) -> Progress {
        Progress(
            bytesTotal: total, bytesHashed: 0, bytesAcknowledged: bytes, bytesShown: bytes, bytesSent: bytes, bytesResent: 0, rateBytesPerS: 0,
            etaMs: nil, partsDone: 0, partsTotal: 0, requests: 0, retries: 0)
    }
}
