package partway

import java.io.File
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/** The way in. */
object Partway {
    /**
     * Opens the state directory, recovers what is in it and goes on. It reads and writes files: not on the main thread, `by lazy` does.
     * One client a directory and process: opened again it is the same one, as it is. While that one is being closed, this waits for the end of it.
     */
    @JvmStatic
    fun open(stateDir: File, configure: PartwayOptions.() -> Unit): PartwayClient {
        val dir = stateDir.canonicalFile
        lock.withLock {
            while (true) {
                val client = clients[dir]
                if (client == null && dir !in opening) break
                if (client != null && !client.isClosing) return client
                changed.awaitUninterruptibly()
            }
            opening += dir
        }
        var client: LivePartway? = null
        try {
            return LivePartway(stateDir, PartwayOptions().apply(configure), ::forget).also { client = it }
        } finally {
            lock.withLock {
                opening -= dir
                client?.let { clients[dir] = it }
                changed.signalAll()
            }
        }
    }

    private fun forget(client: LivePartway) = lock.withLock {
        clients.values.remove(client)
        changed.signalAll()
    }

    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private val clients = HashMap<File, LivePartway>()

    /** Directories that are being opened: whoever opens another one does not wait for these. */
    private val opening = HashSet<File>()
}

/**
 * What an app gives; see [Partway.open]. Only [token] or [credentials] is needed.
 *
 * Lambdas for credentials, sources and signatures are coroutines of the client's own scope on `Dispatchers.Default`, several at once, and are cancelled when it is
 * closed. They may take their time; what blocks goes into `withContext(Dispatchers.IO)`. What one throws means "not now", and is logged by the name of its class
 * alone: its words could hold a token.
 */
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

    /** An ended upload is forgotten by itself so long after it ended, and leaves [PartwayClient.uploads]; without it, when it is said. */
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

    /** Who carries requests in the place of the built-in transport: on threads of the library, which it may block. What it throws is a connection that broke. */
    fun transport(transport: Transport) {
        this.transport = transport
    }

    /** Bounds; they may be changed later. */
    fun limits(parallelUploads: Int? = null, parallelParts: Int? = null, rateBytesPerS: Long? = null) {
        limits = Limits(parallelUploads, parallelParts, rateBytesPerS)
    }

    /** Lines for a log, down to [level]; no token, URL, path, name, key or tag is in one. Called on a thread of the library, one after the other; it may block. */
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
    /** The token of [account]; `null`, or an exception: not now. */
    suspend fun token(account: String, why: Why): String?
}

/** Knows credentials. */
fun interface CredentialSource {
    /** The credential of [account]; `null`, or an exception: not now. */
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
