import Foundation

/// What an app gives; see `Client.open`. Only the directory and who knows the tokens are needed. The client keeps the closures and the transport until the end
/// of its `close`, also when nobody keeps the client: what they capture lives as long.
///
/// The closures for credentials, sources and signatures are each called in a task of its own, several at once, on the threads that tasks run on; the tasks are
/// cancelled when the client is closed. They may take their time, but must not block: what blocks belongs on a queue or thread of yours. What one throws means
/// "not now", and is logged by the name of its type alone: its words could hold a token. They may call the client. What is called on an ask itself throws
/// `NativeError`; whoever only returns an answer never calls that.
public struct Configuration: Sendable {
    /// Where journals live; created if need be. In an app: a folder of its own that no backup takes.
    public var stateDirectory: URL

    /// Who knows the credentials: asked when one is needed, and again when one was refused. `nil`, or an error: not now.
    public var credentials: @Sendable (CredentialAsk) async throws -> Credential?

    /// Who opens sources by their tokens: after a restart, when a path is gone, or when the turn of `Source.later` comes. `nil`, or an error: they can't be
    /// had, and the upload waits.
    public var sources: (@Sendable (SourceAsk) async throws -> Source?)?

    /// Who signs requests, where the credential is an `.appSigner`: the signature of the ask's `stringToSign`, whose secret stays on a server of yours. `nil`,
    /// or an error: it is not signed, and the upload waits.
    public var signer: (@Sendable (SignAsk) async throws -> String?)?

    /// Who carries requests in the place of the built-in transport, such as `URLSessionTransport`: on threads of the library, which it may block. What it
    /// throws is a connection that broke.
    public var transport: (any Transport)?

    /// Takes lines for a log, on a thread of the library, one after the other; it may block. No token, URL, path, name, key or tag is in one. Only that a
    /// closure threw is told beside them, in the task of that closure.
    public var log: (@Sendable (LogLevel, _ target: String, _ line: String) -> Void)?

    /// Down to which level.
    public var logLevel: LogLevel?

    /// Bounds; what is left out is what the library takes by itself. They may be changed later, all at once: `setLimits`.
    public var limits: Limits?

    /// What the app knows of the network by now.
    public var network: Network?

    /// `http://[user:password@]host:port`; the environment is never read.
    public var proxy: Secret?

    /// Further roots to trust, as PEM.
    public var extraCaPem: String?

    /// SHA-256 digests of public keys, one of which each connection's certificates must have.
    public var spkiSha256Pins: [String] = []

    /// An ended upload is forgotten by itself so long after it ended, and is listed no more; without it, when it is said.
    public var endedKeptMs: Int64?

    /// False opens it held, until `go`.
    public var autostart = true

    /// With credentials of any kind.
    public init(stateDirectory: URL, credentials: @escaping @Sendable (CredentialAsk) async throws -> Credential?) {
        self.stateDirectory = stateDirectory
        self.credentials = credentials
    }

    /// With tokens alone: that of an account, and why it is asked for.
    public init(stateDirectory: URL, token: @escaping @Sendable (_ account: String, _ why: Why) async throws -> String?) {
        self.init(stateDirectory: stateDirectory) { ask in
            try await token(ask.account(), ask.why()).map { .token(value: Secret($0)) }
        }
    }
}
