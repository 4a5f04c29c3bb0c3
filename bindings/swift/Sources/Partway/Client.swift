import Foundation

/// The client over the native library: a board of the last snapshots, and asks in the form of closures.
public final class Client: UploadClient {
    public let board: Board
    public let problems: [Problem]
    private let native: Native
    private let answering: Answering

    /// Opens the state directory, recovers what is in it and goes on. One client a directory and process: opened again it is the same one, as it is. It works
    /// until it is closed, also when nobody keeps it.
    public static func open(_ configuration: Configuration) async throws -> Client {
        try await blocking { try Clients.shared.open(configuration) }
    }

    fileprivate init(_ configuration: Configuration) throws {
        let board = Board()
        let answering = Answering(log: configuration.log)
        let told = Told(board)
        let opened = try PartwayError.thrown {
            try NativeClient.open(config: NativeConfig(
                stateDir: configuration.stateDirectory.path,
                credentials: Credentials(answering, configuration.credentials),
                sources: configuration.sources.map { SourceOpener(answering, $0) },
                signer: configuration.signer.map { Signatures(answering, $0) },
                listener: told,
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
        told.open(opened)
        board.show(opened.list(which: .all))
        self.board = board
        self.answering = answering
        native = Native(opened)
        problems = opened.problems()
    }

    public func start(_ request: UploadRequest) async throws -> Upload {
        upload(try await waited { [board] in
            let id = try $0.start(request: request).id
            board.show([$0.snapshot(id: id)].compactMap { $0 })
            return id
        })
    }

    public func startAll(_ requests: [UploadRequest]) async throws -> [Result<Upload, PartwayError>] {
        let results = try await waited { [board] in
            let results = $0.startAll(requests: requests)
            board.show($0.list(which: .all))
            return results
        }
        return results.map {
            switch $0 {
            case .started(let started): .success(upload(started.id))
            case .refused(let info): .failure(PartwayError(info))
            }
        }
    }

    @discardableResult public func pause(_ which: Select) -> Int { now(0) { Int($0.pause(which: which)) } }

    @discardableResult public func resume(_ which: Select) -> Int { now(0) { Int($0.resume(which: which)) } }

    @discardableResult public func cancel(_ which: Select) -> Int { now(0) { Int($0.cancel(which: which)) } }

    @discardableResult public func forget(_ which: Select) async throws -> Int {
        try await waited { [board] native in
            let before = native.list(which: which).map(\.id)
            let count = native.forget(which: which)
            board.drop(before.filter { native.snapshot(id: $0) == nil })
            return Int(count)
        }
    }

    public func retry(_ id: String) async throws -> Upload {
        upload(try await waited { [board] in
            let next = try $0.retry(id: id).id
            board.drop([id])
            board.show([$0.snapshot(id: next)].compactMap { $0 })
            return next
        })
    }

    @discardableResult public func change(_ which: Select, _ change: Change) throws -> Int { try call { Int(try $0.change(which: which, change: change)) } }

    public func answerConflict(_ id: String, _ choice: ConflictChoice) throws { try call { try $0.answerConflict(id: id, choice: choice) } }

    public func attachSource(_ id: String, _ source: Source) throws { try call { try $0.attachSource(id: id, source: source) } }

    public func snapshot(_ id: String) -> Snapshot? { now(board.snapshot(of: id)) { $0.snapshot(id: id) } }

    public func find(_ key: String) -> Snapshot? { now(board.snapshots.first { $0.key == key }) { $0.find(key: key) } }

    public func list(_ which: Select) -> [Snapshot] { now(board.snapshots.filter(which.fits)) { $0.list(which: which) } }

    public func explain(_ id: String) -> Explanation? { now(nil) { $0.explain(id: id) } }

    public func timelineJson(_ id: String) async throws -> String? { try await waited { $0.timelineJson(id: id) } }

    public func lookRemote(_ id: String) async throws -> RemoteLook { try await waited { try $0.lookRemote(id: id) } }

    public func setCredential(_ account: String, _ credential: Credential) throws {
        try call { try $0.setCredential(account: account, credential: credential) }
    }

    public func signOut(_ account: String, then: SignOut) async throws { try await waited { $0.signOut(account: account, then: then) } }

    public func setNetwork(_ network: Network) { now(()) { $0.setNetwork(network: network) } }

    public func setLimits(_ limits: Limits) { now(()) { $0.setLimits(limits: limits) } }

    public func setProxy(_ proxy: Secret?) throws { try call { try $0.setProxy(proxy: proxy) } }

    public func go() { now(()) { $0.go() } }

    public func goOnly(_ ids: [String]) { now(()) { $0.goOnly(ids: ids) } }

    @discardableResult public func hold(timeoutMs: Int64) async throws -> Idle { try await waited { $0.hold(timeoutMs: timeoutMs) } }

    public func idle() throws -> Idle { try call { $0.idle() } }

    public func runUntilIdle(timeoutMs: Int64?) async throws -> Idle {
        go()
        return try await withTaskCancellationHandler {
            try await waited { $0.waitIdle(timeoutMs: timeoutMs) }
        } onCancel: {
            // What is held is idle: the wait above ends by it.
            Task.detached { try await self.hold(timeoutMs: Self.holdMs) }
        }
    }

    @discardableResult public func close(timeoutMs: Int64) async -> Bool {
        await blocking {
            defer { Clients.shared.remove(self) }
            return self.end(timeoutMs)
        }
    }

    /// Waits for a close that is under way: until it is over the directory is not free.
    fileprivate var isClosed: Bool { native.isClosed }

    private func end(_ timeoutMs: Int64) -> Bool {
        native.close { opened in
            let rested = opened.shutdown(timeoutMs: timeoutMs)
            board.show(opened.list(which: .all))
            board.close()
            answering.close()
            return rested
        } ?? true
    }

    /// What the systems leave a task that is told to stop.
    private static let holdMs: Int64 = 3_000

    /// A call that does no I/O.
    private func call<T>(_ function: (NativeClient) throws -> T) throws -> T {
        guard let opened = native.opened else { throw PartwayError.closed() }
        return try PartwayError.thrown { try function(opened) }
    }

    /// The same for one that a closed client ignores, and that can't fail otherwise.
    private func now<T>(_ afterClose: @autoclosure () -> T, _ function: (NativeClient) -> T) -> T {
        native.opened.map(function) ?? afterClose()
    }

    /// A call that does I/O or waits, off the threads that tasks run on.
    private func waited<T: Sendable>(_ function: @escaping @Sendable (NativeClient) throws -> T) async throws -> T {
        try await blocking { try self.call(function) }
    }
}

/// The native client for as long as it is open.
private final class Native: @unchecked Sendable { // Everything in it is behind the locks.
    private let lock = NSLock()
    private let closing = NSLock()
    private var client: NativeClient?

    init(_ client: NativeClient) {
        self.client = client
    }

    var opened: NativeClient? { lock.withLock { client } }

    var isClosed: Bool { closing.withLock { opened == nil } }

    /// Closes once; `nil` when that was done before.
    func close<T>(_ end: (NativeClient) -> T) -> T? {
        closing.withLock {
            guard let opened else { return nil }
            let result = end(opened)
            lock.withLock { client = nil }
            return result
        }
    }
}

/// The clients of this process, by their directory.
private final class Clients: @unchecked Sendable { // Everything in it is behind the lock.
    static let shared = Clients()
    private let lock = NSLock()
    private var clients: [String: Client] = [:]

    func open(_ configuration: Configuration) throws -> Client {
        try lock.withLock {
            let directory = configuration.stateDirectory
            if let client = clients[Clients.path(directory)], !client.isClosed { return client }
            let client = try Client(configuration)
            // Once it is there: what a link to nothing means is not known before.
            clients[Clients.path(directory)] = client
            return client
        }
    }

    func remove(_ client: Client) {
        lock.withLock { clients = clients.filter { $0.value !== client } }
    }

    private static func path(_ directory: URL) -> String { directory.standardizedFileURL.resolvingSymlinksInPath().path }
}

/// Work that blocks, on threads that may.
private func blocking<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        blockingQueue.async { continuation.resume(with: Result { try work() }) }
    }
}

private func blocking<T: Sendable>(_ work: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        blockingQueue.async { continuation.resume(returning: work()) }
    }
}

private let blockingQueue = DispatchQueue(label: "partway.blocking", attributes: .concurrent)
