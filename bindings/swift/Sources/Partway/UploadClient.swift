import Foundation

/// Uploads of one state directory. An upload is a row: it has your key, it is durable when `start` returns, it is seen as one `Snapshot`, and its ending is kept
/// until you `forget` it. A protocol, so that it can be faked: `FakeClient`.
///
/// What is `async` does its work off the caller's thread; all else does no I/O and may be called on the main thread.
public protocol UploadClient: AnyObject, Sendable {
    /// The last snapshots; the sequences below are views of it.
    var board: Board { get }

    /// Journals that could not be read at open.
    var problems: [Problem] { get }

    /// Starts an upload, or finds the one of that key. When it returns the upload survives a kill.
    func start(_ request: UploadRequest) async throws -> Upload

    /// The same for many: each journal is synced, the directory once. One that is refused harms no other.
    func startAll(_ requests: [UploadRequest]) async throws -> [Result<Upload, PartwayError>]

    /// Stays until resumed, also over restarts. How many it was said to, as in the verbs below.
    @discardableResult func pause(_ which: Select) -> Int

    /// Goes on; also "try now" for what waits.
    @discardableResult func resume(_ which: Select) -> Int

    /// Ends; the ending tells what the service could undo. An object that exists already makes it completed.
    @discardableResult func cancel(_ which: Select) -> Int

    /// "I have stored the ending": removes ended uploads. Whoever waits for one of them, or iterates over `endings`, is given its ending all the same.
    @discardableResult func forget(_ which: Select) async throws -> Int

    /// Begins a failed or cancelled upload again: a new id, the same key, everything that was proven.
    func retry(_ id: String) async throws -> Upload

    /// Changes what is given.
    @discardableResult func change(_ which: Select, _ change: Change) throws -> Int

    /// Answers an open conflict. Nothing is sent again.
    func answerConflict(_ id: String, _ choice: ConflictChoice) throws

    /// Gives an upload its source again. The same bytes go on where it was.
    func attachSource(_ id: String, _ source: Source) throws

    /// One upload.
    func snapshot(_ id: String) -> Snapshot?

    /// The upload of a key.
    func find(_ key: String) -> Snapshot?

    /// Those that fit, oldest first; ended ones that were not forgotten too.
    func list(_ which: Select) -> [Snapshot]

    /// What blocks it, when it is tried next, how often it was.
    func explain(_ id: String) -> Explanation?

    /// What happened to it, as JSON for a bug report; no name, path, key, tag, token or URL is in it.
    func timelineJson(_ id: String) async throws -> String?

    /// Asks the service for its own view of it; nothing of the upload changes.
    func lookRemote(_ id: String) async throws -> RemoteLook

    /// A credential, unasked, such as after a log-in; ends the waits for it. A closed client ignores it.
    func setCredential(_ account: String, _ credential: Credential) throws

    /// Nobody is signed in to the account any more: its credential is wiped from memory before this returns.
    func signOut(_ account: String, then: SignOut) async throws

    /// What the app knows of the network.
    func setNetwork(_ network: Network)

    /// New bounds, at once.
    func setLimits(_ limits: Limits)

    /// Another proxy, `http://[user:password@]host:port`, or none.
    func setProxy(_ proxy: Secret?) throws

    /// Goes on after `hold`, or after an open without autostart.
    func go()

    /// The same for these alone: the others stay as they are until `go`.
    func goOnly(_ ids: [String])

    /// No request in flight, all durable, no lock, no socket when it returns; a second does as a rule. `atRest` is false when the time was too short: nothing new
    /// begins, and what still works comes to rest behind it.
    @discardableResult func hold(timeoutMs: Int64) async throws -> Idle

    /// What a scheduler needs to know.
    func idle() throws -> Idle

    /// Goes, and returns when nothing works any more, or after `timeoutMs`: the body of a background task. Cancelled, it holds first, for
    /// three seconds at most, and then throws `CancellationError`.
    func runUntilIdle(timeoutMs: Int64?) async throws -> Idle

    /// Holds, then ends. False: something was cut off, or a callback has not returned; the journals are whole either way. Nothing is cancelled. One whose time is
    /// shorter cuts short one that still waits. Afterwards what looks (`snapshot`, `find`, `list`, sequences) answers as it was last, verbs that only post do
    /// nothing, and all else throws `closed`.
    @discardableResult func close(timeoutMs: Int64) async -> Bool
}

extension UploadClient {
    /// An upload by its id: a plain value, nothing to close.
    public func upload(_ id: String) -> Upload { Upload(client: self, id: id) }

    /// Uploads as they change.
    public var changes: Changes { Changes(board: board) }

    /// Each ending exactly once to each iterator.
    public var endings: Endings { Endings(board: board) }

    /// Those that fit, as they change.
    public func uploads(_ which: Select = .all) -> Listing { Listing(board: board, which: which) }

    /// Goes, and returns when nothing works any more.
    public func runUntilIdle() async throws -> Idle { try await runUntilIdle(timeoutMs: nil) }
}
