package partway

import java.io.File

/** The way in. */
object Partway {
    /**
     * Opens the state directory, recovers what is in it and goes on. It reads and writes files: not on the main thread, `by lazy` does.
     * One client a directory and process: opened again it is the same one, as it is.
     */
    @JvmStatic
    fun open(stateDir: File, configure: PartwayOptions.() -> Unit): PartwayClient = synchronized(clients) {
        clients.values.removeAll { it.isClosed }
        clients.getOrPut(stateDir.canonicalFile) { LivePartway(stateDir, PartwayOptions().apply(configure)) }
    }

    private val clients = HashMap<File, LivePartway>()
}

/** What an app gives; see [Partway.open]. Only [token] or [credentials] is needed. */
class PartwayOptions internal constructor() {
    internal var credentials = CredentialSource { _, _, _ -> null }
    internal var sources: SourceOpener? = null
    internal var signer: RequestSigner? = null
    internal var transport: Transport? = null
    internal var limits: Limits? = null
    internal var logLevel: LogLevel? = null
    internal var log: PartwayLog? = null

    /** `http://[user:password@]host:port`; the environment is never read. */
    var proxy: Secret? = null

    /** Further roots to trust, as PEM. */
    var extraCaPem: String? = null

    /** SHA-256 digests of public keys, one of which each connection's certificates must have. */
    var spkiSha256Pins: List<String> = emptyList()

    /** What the app knows of the network by now. */
    var network: Network? = null

    /** An ended upload is forgotten by itself so long after it ended; without it, when it is said. */
    var endedKeptMs: Long? = null

    /** False opens it held, until [PartwayClient.go]. */
    var autostart: Boolean? = null

    /** Who knows the tokens: asked when one is needed, and again when one was refused. `null`, or an exception: not now. */
    fun token(provider: TokenProvider) = credentials { account, _, why -> provider.token(account, why)?.let { Credential.Token(Secret(it)) } }

    /** The same for credentials of every kind. */
    fun credentials(provider: CredentialSource) {
        credentials = provider
    }

    /** Who opens sources by their tokens: after a restart, when a path is gone, or when the turn of [Source.Companion.later] comes. */
    fun sources(opener: SourceOpener) {
        sources = opener
    }

    /** Who signs requests, where the credential is a [Credential.AppSigner]: the secret stays on a server of yours. */
    fun signer(signer: RequestSigner) {
        this.signer = signer
    }

    /** Who carries requests in the place of the built-in transport. */
    fun transport(transport: Transport) {
        this.transport = transport
    }

    /** Bounds; they may be changed later. */
    fun limits(parallelUploads: Int? = null, parallelParts: Int? = null, rateBytesPerS: Long? = null) {
        limits = Limits(parallelUploads, parallelParts, rateBytesPerS)
    }

    /** Lines for a log, down to [level]; no token, URL, path, name, key or tag is in one. Called on threads of the library. */
    fun log(level: LogLevel? = null, log: PartwayLog) {
        logLevel = level
        this.log = log
    }
}

/** Takes lines. */
fun interface PartwayLog {
    /** One line, without its end. */
    fun log(level: LogLevel, target: String, line: String)
}

/** Knows tokens. */
fun interface TokenProvider {
    /** The token of [account]; `null`: not now. */
    suspend fun token(account: String, why: Why): String?
}

/** Knows credentials. */
fun interface CredentialSource {
    /** The credential of [account]; `null`: not now. */
    suspend fun credential(account: String, service: Service, why: Why): Credential?
}

/** Signs requests in an application's name. */
fun interface RequestSigner {
    /** The signature of the ask's `stringToSign`; `null`, or an exception: it is not signed, and the upload waits. */
    suspend fun sign(ask: SignAsk): String?
}

/** Opens sources again. */
fun interface SourceOpener {
    /** The bytes that the ask's token means; `null`, or an exception: they can't be had, and the upload waits. */
    suspend fun open(ask: SourceAsk): Source?
}
