import Foundation

/// Uploads of one state directory. An upload is a row: it has your key, it is durable when `start` returns, it is seen as one `Snapshot`, and its ending is
/// kept until you `forget` it. A protocol, so that it can be faked: `FakeClient`.
///
/// Every function may be called from any thread and any actor. What is not `async` does no I/O, waits for nothing, and may be called on the main thread; verbs
/// that "only post" come true in a later snapshot. What is `async` suspends the caller, does its work on other threads, and blocks none that tasks run on;
/// where nothing else is said it is over soon, and is not cut short by cancelling the task. Nothing calls back from within a call: what happens is told by the
/// sequences, and what is needed is asked by the closures of `Configuration`. What throws, throws `PartwayError`.
public protocol UploadClient: AnyObject, Sendable {
    /// What the sequences below are views of.
    var board: Board { get }

    /// Journals that could not be read at open. Each was left as it is, or set aside if it was damaged; no other upload is harmed. Does no I/O.
    var problems: [Problem] { get }

    /// Starts an upload, or finds the one of that key; one that failed or was cancelled is begun again with what it had proven, as the request says now, and
    /// the old one is gone. Which of these it was, `Upload.how` says. When it returns the upload survives a kill. Suspends while a file is written. What can be
    /// refused without asking the service is thrown here, and then nothing was made.
    func start(_ request: UploadRequest) async throws -> Upload

    /// The same for many, in their order: each journal is synced, the directory once. One that is refused harms no other. Throws only when the client is
    /// closed.
    func startAll(_ requests: [UploadRequest]) async throws -> [Result<Upload, PartwayError>]

    /// Stays until resumed, also over restarts. How many it was said to, as in the verbs below. Only posts.
    @discardableResult func pause(_ which: Select) -> Int

    /// Goes on; also "try now" for what waits. Only posts.
    @discardableResult func resume(_ which: Select) -> Int

    /// Ends; the ending tells what the service could undo. An object that exists already makes it completed. Only posts.
    @discardableResult func cancel(_ which: Select) -> Int

    /// "I have stored the ending": removes ended uploads, and says how many. Whoever waits for one of them, or iterates over `endings`, is given its ending all
    /// the same. Suspends while files are removed.
    @discardableResult func forget(_ which: Select) async throws -> Int

    /// Begins a failed or cancelled upload again: a new id, the same key, everything that was proven. The old one is gone, as if it had been forgotten.
    /// Suspends while files are written. Throws (`wrong_state`) in any other state.
    func retry(_ id: String) async throws -> Upload

    /// Changes what is given, for this process and the next; what is left out stays. How many it was said to. Only posts. Throws for a network policy on a
    /// client that was never told of a network.
    @discardableResult func change(_ which: Select, _ change: Change) throws -> Int

    /// Answers an open conflict. Nothing is sent again. An upload with `Conflict.refuse` waits for an answer, as with `Conflict.ask`; the services' own words
    /// for the two differ. Only posts; throws (`wrong_state`) when it does not wait for that answer.
    func answerConflict(_ id: String, _ choice: ConflictChoice) throws

    /// Gives an upload its source again; a path and a token are kept for the next process as well. The same bytes go on where it was. Only posts; who owns what
    /// is said at the functions of `Source`.
    func attachSource(_ id: String, _ source: Source) throws

    /// One upload, as it is; `nil` without it. Does no I/O.
    func snapshot(_ id: String) -> Snapshot?

    /// The upload of a key; `nil` without it. Does no I/O.
    func find(_ key: String) -> Snapshot?

    /// Those that fit, oldest first; ended ones that were not forgotten too. Does no I/O; copies each.
    func list(_ which: Select) -> [Snapshot]

    /// What blocks it, when it is tried next, how often it was; `nil` without it. Does no I/O.
    func explain(_ id: String) -> Explanation?

    /// What happened to it, as JSON for a bug report; no name, path, key, tag, token or URL is in it. `nil` without it. Suspends while a file is read.
    func timelineJson(_ id: String) async throws -> String?

    /// Asks the service for its own view of it; nothing of the upload changes. Suspends for the credential (60 s at most) and for the answers of the service.
    func lookRemote(_ id: String) async throws -> RemoteLook

    /// A credential, unasked, such as after a log-in; ends the waits for it. Only posts. A closed client ignores it; throws for one that can be none.
    func setCredential(_ account: String, _ credential: Credential) throws

    /// Nobody is signed in to the account any more: before this returns its credential is wiped from where it was kept for further requests, nothing new starts,
    /// and what is under way for it is told to end. A request that is on its way still carries it until it has ended, and the service may still carry it out;
    /// `hold` returns when none is left. Suspends while files are written, and for a second at most for cancels.
    func signOut(_ account: String, then: SignOut) async throws

    /// What the app knows of the network, all of it with each change. Only posts.
    func setNetwork(_ network: Network)

    /// New bounds, all of them: what is left out is as it is without any `Limits`, not as it was. What begins from here on keeps to them, what is under way is
    /// not stopped; a rate holds at once. Only posts.
    func setLimits(_ limits: Limits)

    /// Another proxy, `http://[user:password@]host:port`, or none, for each connection from here on; those that are kept are dropped, a request under way is
    /// not. Does no I/O. Throws for a text that is none, and with a `Transport` of yours, which has its own.
    func setProxy(_ proxy: Secret?) throws

    /// Goes on after `hold`, or after an open without autostart. Only posts.
    func go()

    /// The same for these alone: the others stay as they are until `go`. Only posts.
    func goOnly(_ ids: [String])

    /// No request in flight, all durable, no lock, no socket when it returns; a second does as a rule. `atRest` is false when the time was too short: nothing
    /// new begins, and what still works comes to rest behind it. Suspends until then, at most for `timeoutMs`, and is not cut short by cancelling the task.
    @discardableResult func hold(timeoutMs: Int64) async throws -> Idle

    /// What a scheduler needs to know, as of now. Does no I/O.
    func idle() throws -> Idle

    /// Returns when nothing works any more, or after `timeoutMs` (`nil`: however long it takes), with how it is then; `atRest` tells the two apart. Moves
    /// nothing: see `runUntilIdle`. Suspends, and blocks no thread. Cancelled, it throws `CancellationError` at once; a client that is closed before it rests
    /// throws `closed`.
    func waitIdle(timeoutMs: Int64?) async throws -> Idle

    /// Goes, and then waits as `waitIdle` does: the body of a background task. Cancelled, it holds first, for three seconds at most, and then throws
    /// `CancellationError`.
    func runUntilIdle(timeoutMs: Int64?) async throws -> Idle

    /// Holds, then ends; suspends until then, at most for about `timeoutMs`, and is not cut short by cancelling the task. False: something was cut off, or a
    /// callback has not returned; the journals are whole either way. Nothing is cancelled but the tasks of closures that were asked. One whose time is shorter
    /// cuts short one that still waits. Afterwards what looks (`snapshot`, `find`, `list`, sequences) answers as it was last, verbs that only post do nothing,
    /// and all else throws `closed`.
    @discardableResult func close(timeoutMs: Int64) async -> Bool
}

extension UploadClient {
    /// An upload by its id: a plain value, nothing to close. Does no I/O.
    public func upload(_ id: String) -> Upload { Upload(client: self, id: id) }

    /// Uploads as they change. Does no I/O itself; each iterator is a subscription, and suspends. So it is with the sequences below.
    public var changes: Changes { Changes(board: board) }

    /// Each ending exactly once to each iterator.
    public var endings: Endings { Endings(board: board) }

    /// Each time nothing works any more: when a scheduler should look what to ask the system for.
    public var idles: Idles { Idles(board: board) }

    /// Those that fit, as they change.
    public func uploads(_ which: Select = .all) -> Listing { Listing(board: board, which: which) }

    /// Returns when nothing works any more, however long it takes; see `waitIdle(timeoutMs:)`.
    public func waitIdle() async throws -> Idle { try await waitIdle(timeoutMs: nil) }

    /// Goes, and returns when nothing works any more, however long it takes; see `runUntilIdle(timeoutMs:)`.
    public func runUntilIdle() async throws -> Idle { try await runUntilIdle(timeoutMs: nil) }
}
