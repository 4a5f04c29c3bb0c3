package partway

import java.io.File
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

/** The way in. */
object Partway {
    /** By their directories; none where one is just being opened. */
    private val clients = MutableStateFlow<Map<File, LivePartway?>>(emptyMap())

    /**
     * Opens the state directory, recovers what is in it and goes on. One client a directory and process: opened again it is the same one, as it is, and [configure] is
     * not called. So whoever needs it may open it.
     *
     * Suspends: files are read and written on threads of this library, and while the client of that directory is being closed, this waits for the end of it. May be
     * called on any thread, the main one too; [configure] is called there. Cancelled while files are read, it ends when that is over, and the client stays open: the
     * next call gives it. The client works until whoever ends the app, or a test, closes it, also when nobody keeps it. Throws [PartwayException].
     */
    suspend fun open(stateDir: File, configure: PartwayOptions.() -> Unit): PartwayClient {
        val dir = withContext(Threads.disk) { stateDir.canonicalFile }
        while (true) {
            val before = clients.value
            val client = before[dir]
            when {
                dir !in before -> if (clients.compareAndSet(before, before + (dir to null))) break
                client != null && !client.isClosing -> return client
                // Opened, not opened after all, or gone.
                else -> clients.first { dir !in it || it[dir] !== client }
            }
        }
        var opened: LivePartway? = null
        try {
            val options = PartwayOptions().apply(configure)
            // Known also to whoever comes after a caller that was cancelled meanwhile.
            return withContext(Threads.disk + NonCancellable) { LivePartway(stateDir, options, ::forget).also { opened = it } }
        } finally {
            clients.update { all -> opened?.let { all + (dir to it) } ?: (all - dir) }
        }
    }

    /**
     * [open] for Java, and for code that can't suspend. Blocks: not on the main thread, where `lazy` does not help either, since it opens where it is first read. Throws
     * [PartwayException], and `InterruptedException` when the thread is interrupted meanwhile.
     */
    @JvmStatic
    @Throws(PartwayException::class, InterruptedException::class)
    fun openBlocking(stateDir: File, configure: PartwayOptions.() -> Unit): PartwayClient = runBlocking { open(stateDir, configure) }

    private fun forget(client: LivePartway) = clients.update { all -> all.filterValues { it !== client } }
}

/**
 * What an app gives; see [Partway.open]. Only [token] or [credentials] is needed. What is given is kept until the client is closed.
 *
 * Lambdas for credentials, sources and signatures are coroutines of the client's own scope on `Dispatchers.Default`, several at once, and are cancelled when it is
 * closed. They may take their time, and call the client; what blocks goes into `withContext(Dispatchers.IO)`. What one throws means "not now", and is logged by the
 * name of its class alone: its words could hold a token.
 */
class PartwayOptions internal constructor() {
    internal var credentials = CredentialSource { null }
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
    fun token(provider: TokenProvider) = credentials { ask -> provider.token(ask.account(), ask.why())?.let { Credential.Token(Secret(it)) } }

    /** The same for credentials of every kind, and for answers of every kind. */
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

    /**
     * Who carries requests in the place of the built-in transport: called on threads of the library, one a request, several at once, which it may block. What it throws
     * is a connection that broke, and ends the call. It stays yours: nobody closes it.
     */
    fun transport(transport: Transport) {
        this.transport = transport
    }

    /** Bounds, those of [Limits]; what is left out is as the library has it. They may be changed later: [PartwayClient.setLimits]. */
    fun limits(
        parallelUploads: Int? = null,
        parallelParts: Int? = null,
        rateBytesPerS: Long? = null,
        memoryBytes: Long? = null,
        openSources: Int? = null,
    ) {
        limits = Limits(parallelUploads, parallelParts, rateBytesPerS, memoryBytes, openSources)
    }

    /** Lines for a log, down to [level]; no token, URL, path, name, key or tag is in one. Called on a thread of the library, one after the other; it may block. */
    fun log(level: LogLevel? = null, log: PartwayLog) {
        logLevel = level
        this.log = log
    }
}

/** Takes lines. */
fun interface PartwayLog {
    /** One line, without its end. Called on a thread of the library, never at once with itself; it may block, and call the client except for what waits. */
    fun log(level: LogLevel, target: String, line: String)
}

/** Knows tokens. */
fun interface TokenProvider {
    /** The token of [account]; `null`, or an exception: not now. A coroutine on `Dispatchers.Default`, cancelled when the client is closed. */
    suspend fun token(account: String, why: Why): String?
}

/** Knows credentials. */
fun interface CredentialSource {
    /**
     * The credential of the ask's account; `null`, or an exception: not now. Who knows more says it to the ask, and gives `null` then: `later(retryInMs)`, to be asked
     * again after so long, or `signedOut()`, to wait for the next [PartwayClient.setCredential]. The first answer counts. The ask ends with this coroutine, which is on
     * `Dispatchers.Default` and is cancelled when the client is closed.
     */
    suspend fun credential(ask: CredentialAsk): Credential?
}

/** Signs requests in an application's name. */
fun interface RequestSigner {
    /**
     * The signature of the ask's `stringToSign`; `null`, or an exception: it is not signed, and the upload waits. The ask ends with this coroutine, which is on
     * `Dispatchers.Default` and is cancelled when the client is closed.
     */
    suspend fun sign(ask: SignAsk): String?
}

/** Opens sources again. */
fun interface SourceOpener {
    /**
     * The bytes that the ask's token means; `null`, or an exception: they can't be had, and the upload waits. While they are being fetched `preparing(fraction)` shows
     * it; `later(retryInMs)` before a `null` is "not now". The ask ends with this coroutine, which is on `Dispatchers.Default` and is cancelled when the client is closed.
     */
    suspend fun open(ask: SourceAsk): Source?
}
