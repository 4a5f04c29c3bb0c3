import Foundation

/// The client over the native library: a board of what it tells, and asks in the form of closures. `UploadClient` says what each function does, whether it
/// blocks or suspends, and where it calls back.
///
/// A client of this process is kept by this library from `open` to the end of `close`: whoever drops it ends nothing. With the end of `close` it lets go of the
/// closures, the transport and the readers that it was given.
public final class Client: UploadClient {
    public let board: Board
    public let problems: [Problem]
    private let native: Native
    private let answering: Answering

    /// Opens the state directory, recovers what is in it and goes on. One client a directory and process: opened again it is the same one, as it is (of the
    /// configuration nothing but the directory is looked at then); while that one is being closed, this waits for the end of it. It works until it is closed,
    /// also when nobody keeps it. Reads and writes files, on a thread of its own, while the caller is suspended; the closures may be called before it is back.
    /// Throws `PartwayError`, such as for a directory that can't be used.
    public static func open(_ configuration: Configuration) async throws -> Client {
        try await apart { try Clients.shared.open(configuration) }
    }

    fileprivate init(_ configuration: Configuration) throws {
        let board = Board()
        let answering = Answering(log: configuration.log)
        let opened = try PartwayError.thrown {
            try NativeClient.open(config: NativeConfig(
                stateDir: configuration.stateDirectory.path,
                credentials: Credentials(answering, configuration.credentials),
                sources: configuration.sources.map { SourceOpener(answering, $0) },
                signer: configuration.signer.map { Signatures(answering, $0) },
                listener: Told(board),
                transport: configuration.transport,
                log: configuration.log.map(Lines.init),
                logLevel: configuration.logLevel,
                limits: configuration.limits,
                network: configuration.network,
                proxy: configuration.proxy,
                extraCaPem: configuration.extraCaPem,
                spkiSha256Pins: configuration.spkiSha256Pins,
                endedKeptMs: configuration.endedKeptMs,
                autostart: configuration.autostart
            ))
        }
        let native = Native(opened)
        board.ask(Board.Reader(known: { native.opened?.snapshot(id: $0) }, idle: { native.opened?.idle() }))
        board.show { opened.list(which: .all) }
        self.board = board
        self.answering = answering
        self.native = native
        problems = opened.problems()
    }

    public func start(_ request: UploadRequest) async throws -> Upload {
        try await waited { try self.show([$0.start(request: request)], of: $0)[0] }
    }

    public func startAll(_ requests: [UploadRequest]) async throws -> [Result<Upload, PartwayError>] {
        try await waited { native in
            let results = native.startAll(requests: requests)
            let started = results.compactMap { if case .started(let started) = $0 { started } else { nil } }
            var uploads = self.show(started, of: native)[...]
            return results.map {
                switch $0 {
                case .started: .success(uploads.removeFirst())
                case .refused(let info): .failure(PartwayError(info))
                }
            }
        }
    }

    /// What was started is a row, and what it takes the place of is none.
    private func show(_ started: [Started], of native: NativeClient) -> [Upload] {
        for some in pieces(started) {
            board.drop(some.compactMap(\.from)) { some.compactMap { native.snapshot(id: $0.id) } }
        }
        return started.map { Upload(client: self, id: $0.id, how: $0.how) }
    }

    /// As many rows at a time as may be read while whoever looks has to wait.
    private func pieces<T>(_ all: [T]) -> [ArraySlice<T>] {
        stride(from: 0, to: all.count, by: 64).map { all[$0..<min($0 + 64, all.count)] }
    }

    @discardableResult public func pause(_ which: Select) -> Int { now(0) { Int($0.pause(which: which)) } }

    @discardableResult public func resume(_ which: Select) -> Int { now(0) { Int($0.resume(which: which)) } }

    @discardableResult public func cancel(_ which: Select) -> Int { now(0) { Int($0.cancel(which: which)) } }

    @discardableResult public func forget(_ which: Select) async throws -> Int {
        try await waited { [board] native in
            let before = native.list(which: which)
            let ended = before.filter(\.state.ended).map(\.id)
            // Whoever waits for one of these has its ending before it goes.
            for some in self.pieces(ended) { board.show { some.compactMap { native.snapshot(id: $0) } } }
            let count = Int(native.forget(which: which))
            // One that ended only now is gone as well.
            let gone = count == ended.count ? ended : before.map(\.id)
            board.drop(gone.filter { native.snapshot(id: $0) == nil })
            return count
        }
    }

    public func retry(_ id: String) async throws -> Upload {
        try await waited { [board] native in
            board.show { [native.snapshot(id: id)].compactMap { $0 } }
            return try self.show([native.retry(id: id)], of: native)[0]
        }
    }

    @discardableResult public func change(_ which: Select, _ change: Change) throws -> Int { try call { Int(try $0.change(which: which, change: change)) } }

    public func answerConflict(_ id: String, _ choice: ConflictChoice) throws { try call { try $0.answerConflict(id: id, choice: choice) } }

    public func attachSource(_ id: String, _ source: Source) throws { try call { try $0.attachSource(id: id, source: source) } }

    public func snapshot(_ id: String) -> Snapshot? { list(.one(id: id)).first }

    public func find(_ key: String) -> Snapshot? { list(.key(key: key)).first }

    public func list(_ which: Select) -> [Snapshot] { now(board.snapshots.filter(which.fits)) { board.present($0.list(which: which)) } }

    public func explain(_ id: String) -> Explanation? { now(nil) { $0.explain(id: id) } }

    public func timelineJson(_ id: String) async throws -> String? { try await waited { $0.timelineJson(id: id) } }

    public func lookRemote(_ id: String) async throws -> RemoteLook { try await apart { try self.call { try $0.lookRemote(id: id) } } }

    public func setCredential(_ account: String, _ credential: Credential) throws {
        guard let opened = native.opened else { return }
        try PartwayError.thrown { try opened.setCredential(account: account, credential: credential) }
    }

    public func signOut(_ account: String, then: SignOut) async throws { try await waited { $0.signOut(account: account, then: then) } }

    public func setNetwork(_ network: Network) { now(()) { $0.setNetwork(network: network) } }

    public func setLimits(_ limits: Limits) { now(()) { $0.setLimits(limits: limits) } }

    public func setProxy(_ proxy: Secret?) throws { try call { try $0.setProxy(proxy: proxy) } }

    public func go() { now(()) { $0.go() } }

    public func goOnly(_ ids: [String]) { now(()) { $0.goOnly(ids: ids) } }

    @discardableResult public func hold(timeoutMs: Int64) async throws -> Idle { try await apart { try self.call { $0.hold(timeoutMs: timeoutMs) } } }

    public func idle() throws -> Idle { try call { $0.idle() } }

    public func waitIdle(timeoutMs: Int64?) async throws -> Idle { try await firstRest(timeoutMs: timeoutMs) }

    public func runUntilIdle(timeoutMs: Int64?) async throws -> Idle { try await goUntilRest(timeoutMs: timeoutMs) }

    @discardableResult public func close(timeoutMs: Int64) async -> Bool { await apart { self.end(timeoutMs) } }

    /// A close is under way, or over.
    fileprivate var isClosing: Bool { native.isClosing }

    /// Waits for nobody else: a close at once cuts short one that takes its time.
    private func end(_ timeoutMs: Int64) -> Bool {
        guard let opened = native.close() else { return true }
        let rested = opened.shutdown(timeoutMs: timeoutMs)
        let first = native.end {
            // Whoever waits for rest has it, and not that the client is closed.
            if rested { board.rested(opened.idle()) }
            board.finish(opened.list(which: .all))
        }
        if first {
            answering.close()
            Clients.shared.remove(self)
        }
        return rested
    }

    /// A call that does no I/O.
    private func call<T>(_ function: (NativeClient) throws -> T) throws -> T {
        guard let opened = native.opened else { throw PartwayError.closed() }
        return try PartwayError.thrown { try function(opened) }
    }

    /// The same for one that a closed client ignores, and that can't fail otherwise.
    private func now<T>(_ afterClose: @autoclosure () -> T, _ function: (NativeClient) -> T) -> T {
        native.opened.map(function) ?? afterClose()
    }

    /// A call that does I/O, off the threads that tasks run on.
    private func waited<T: Sendable>(_ function: @escaping @Sendable (NativeClient) throws -> T) async throws -> T {
        try await Lane.writing.run { try self.call(function) }
    }
}

/// The native client for as long as it is open.
private final class Native: @unchecked Sendable { // Everything in it is behind the locks.
    private let lock = NSLock()
    private let ending = NSLock()
    private var client: NativeClient?
    private var closing = false

    init(_ client: NativeClient) {
        self.client = client
    }

    var opened: NativeClient? { lock.withLock { client } }

    var isClosing: Bool { lock.withLock { closing } }

    /// A close begins; `nil` when one is over.
    func close() -> NativeClient? {
        lock.withLock {
            closing = true
            return client
        }
    }

    /// Ends once; false when that was done before.
    func end(_ end: () -> Void) -> Bool {
        ending.withLock {
            guard let last = opened else { return false }
            end()
            lock.withLock { client = nil }
            // Let go of without the lock.
            return withExtendedLifetime(last) { true }
        }
    }
}

/// The clients of this process, by their directory.
private final class Clients: @unchecked Sendable { // Everything in it is behind the condition.
    static let shared = Clients()
    private let condition = NSCondition()
    private var clients: [String: Client] = [:]
    /// Directories that are being opened: whoever opens another one does not wait for these.
    private var opening: Set<String> = []

    func open(_ configuration: Configuration) throws -> Client {
        let directory = configuration.stateDirectory
        condition.lock()
        var path = Clients.path(directory)
        while true {
            path = Clients.path(directory)
            if let client = clients[path] {
                if !client.isClosing {
                    condition.unlock()
                    return client
                }
            } else if opening.insert(path).inserted {
                break
            }
            condition.wait()
        }
        condition.unlock()
        let result = Result { try Client(configuration) }
        condition.lock()
        defer { condition.unlock() }
        opening.remove(path)
        // Once it is there: what a link to nothing means is not known before.
        if case .success(let client) = result { clients[Clients.path(directory)] = client }
        condition.broadcast()
        return try result.get()
    }

    func remove(_ client: Client) {
        condition.lock()
        defer { condition.unlock() }
        clients = clients.filter { $0.value !== client }
        condition.broadcast()
    }

    private static func path(_ directory: URL) -> String { directory.standardizedFileURL.resolvingSymlinksInPath().path }
}

extension Started {
    /// The upload that it takes the place of.
    fileprivate var from: String? {
        if case .continued(let from) = how { from } else { nil }
    }
}
