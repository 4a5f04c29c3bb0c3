package partway

import java.io.File
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** The client over the native library: a map of the last snapshots, and asks in the form of coroutines. */
internal class LivePartway(stateDir: File, options: PartwayOptions) : PartwayClient {
    private val log = options.log

    /** What the app's lambdas throw is an answer, "not now", and must not end the app. Its words can hold anything: the class alone is told. */
    private val onThrown = CoroutineExceptionHandler { _, fault ->
        runCatching { log?.log(LogLevel.ERROR, "host", "what was asked for a credential, a source or a signature threw ${fault.javaClass.name}") }
    }
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default + onThrown)
    private val rows = MutableStateFlow<Map<String, Snapshot>>(emptyMap())
    private val watched = ConcurrentHashMap<String, MutableStateFlow<Snapshot>>()
    private val closed = MutableStateFlow(false)

    @Volatile
    private var opened: NativeClient? = null
    private val native: NativeClient

    init {
        native = thrown {
            NativeClient.open(
                NativeConfig(
                    stateDir = stateDir.path,
                    credentials = Credentials(scope, options.credentials),
                    sources = options.sources?.let { Sources(scope, it) },
                    signer = options.signer?.let { Signatures(scope, it) },
                    listener = Told(),
                    transport = options.transport?.let(::GuardedTransport),
                    log = log?.let(::GuardedLog),
                    logLevel = options.logLevel,
                    limits = options.limits,
                    network = options.network,
                    proxy = options.proxy,
                    extraCaPem = options.extraCaPem,
                    spkiSha256Pins = options.spkiSha256Pins,
                    endedKeptMs = options.endedKeptMs,
                    autostart = options.autostart,
                ),
            )
        }
        opened = native
        take(native.list(Select.All))
    }

    /** Waits for a close that is under way: until it is over the directory is not free. */
    val isClosed: Boolean
        get() = synchronized(this) { closed.value }

    override val uploads: StateFlow<Map<String, Snapshot>>
        get() = rows

    override val problems: List<Problem> = native.problems()

    override suspend fun start(request: UploadRequest): Upload = io {
        val started = it.start(request)
        take(listOfNotNull(it.snapshot(started.id)))
        upload(started.id)
    }

    override suspend fun startAll(requests: List<UploadRequest>): List<Result<Upload>> = io {
        it.startAll(requests).map { result ->
            when (result) {
                is StartResult.Started -> Result.success(upload(result.started.id))
                is StartResult.Refused -> Result.failure(PartwayException(result.error))
            }
        }.also { _ -> take(it.list(Select.All)) }
    }

    override fun pause(which: Select): Int = now(0) { it.pause(which) }

    override fun resume(which: Select): Int = now(0) { it.resume(which) }

    override fun cancel(which: Select): Int = now(0) { it.cancel(which) }

    override suspend fun forget(which: Select): Int = io {
        val before = it.list(which).map(Snapshot::id)
        it.forget(which).also { _ -> drop(before.filter { id -> it.snapshot(id) == null }) }
    }

    override suspend fun retry(id: String): Upload = io {
        val started = it.retry(id)
        take(listOfNotNull(it.snapshot(started.id)))
        drop(listOf(id))
        upload(started.id)
    }

    override fun change(which: Select, change: Change): Int = call { it.change(which, change) }

    override fun answerConflict(id: String, choice: ConflictChoice) = call { it.answerConflict(id, choice) }

    override fun attachSource(id: String, source: Source) = call { it.attachSource(id, source) }

    override fun snapshot(id: String): Snapshot? = now(rows.value[id]) { it.snapshot(id) }

    override fun find(key: String): Snapshot? = now(rows.value.values.find { it.key == key }) { it.find(key) }

    override fun list(which: Select): List<Snapshot> = now(emptyList()) { it.list(which) }

    override fun snapshots(id: String): StateFlow<Snapshot> = watched[id] ?: run {
        val first = snapshot(id) ?: throw errorOf("unknown_upload", "there is no upload of that id")
        val flow = watched.computeIfAbsent(id) { MutableStateFlow(first) }
        // What came between the two lines above.
        rows.value[id]?.let { flow.update(it) }
        flow
    }

    override suspend fun awaitEnd(id: String): Snapshot =
        combine(snapshots(id), closed) { snapshot, closed -> snapshot.takeIf { it.state.ended || closed } }.filterNotNull().first().also {
            if (!it.state.ended) throw isClosed()
        }

    override fun explain(id: String): Explanation? = now(null) { it.explain(id) }

    override suspend fun timelineJson(id: String): String? = io { it.timelineJson(id) }

    override suspend fun lookRemote(id: String): RemoteLook = io { it.lookRemote(id) }

    override fun setCredential(account: String, credential: Credential) = now(Unit) { it.setCredential(account, credential) }

    override suspend fun signOut(account: String, then: SignOut) = io { it.signOut(account, then) }

    override fun setNetwork(network: Network) = now(Unit) { it.setNetwork(network) }

    override fun setLimits(limits: Limits) = now(Unit) { it.setLimits(limits) }

    override fun setProxy(proxy: Secret?) = call { it.setProxy(proxy) }

    override fun go() = now(Unit) { it.go() }

    override fun goOnly(ids: List<String>) = now(Unit) { it.goOnly(ids) }

    override suspend fun hold(timeoutMs: Long): Idle = io { it.hold(timeoutMs) }

    override fun idle(): Idle = call { it.idle() }

    override suspend fun runUntilIdle(): Idle {
        go()
        val idle = scope.async(Dispatchers.IO) { call { it.waitIdle(null) } }
        return try {
            idle.await()
        } catch (e: CancellationException) {
            if (closed.value) throw isClosed()
            withContext(NonCancellable) { hold(HOLD_MS) }
            throw e
        }
    }

    override suspend fun close(timeoutMs: Long): Boolean = withContext(Dispatchers.IO + NonCancellable) { end(timeoutMs) }

    override fun close() {
        end(0)
    }

    @Synchronized
    private fun end(timeoutMs: Long): Boolean {
        if (closed.value) return true
        val rested = native.shutdown(timeoutMs)
        take(native.list(Select.All))
        closed.value = true
        scope.cancel()
        native.destroy()
        return rested
    }

    private fun isClosed() = errorOf("closed", "the client is closed")

    /** A call that does no I/O. */
    private inline fun <T> call(function: (NativeClient) -> T): T {
        if (closed.value) throw isClosed()
        return try {
            thrown { function(native) }
        } catch (e: IllegalStateException) {
            // Closed since the line above: the native object is gone.
            throw if (closed.value) isClosed() else e
        }
    }

    /** The same for one that a closed client ignores. */
    private inline fun <T> now(afterClose: T, verb: (NativeClient) -> T): T = try {
        call(verb)
    } catch (e: PartwayException) {
        if (closed.value) afterClose else throw e
    }

    private suspend inline fun <T> io(crossinline function: (NativeClient) -> T): T =
        withContext(Dispatchers.IO) { call { function(it) } }

    /** The newer of each, by its revision. */
    private fun take(changes: List<Snapshot>) {
        rows.update { all -> all + changes.filter { it.revision >= (all[it.id]?.revision ?: 0) }.associateBy(Snapshot::id) }
        changes.forEach { watched[it.id]?.update(it) }
    }

    private fun drop(ids: List<String>) {
        if (ids.isEmpty()) return
        rows.update { it - ids.toSet() }
        ids.forEach(watched::remove)
    }

    private inner class Told : Listener {
        override fun onChanges(changes: List<Snapshot>) = guarded {
            take(changes)
            // One that was forgotten while this was on its way must not come back.
            opened?.let { native -> drop(changes.filter { it.state.ended && native.snapshot(it.id) == null }.map(Snapshot::id)) }
            Unit
        }

        override fun onIdle(idle: Idle) = Unit
    }

    private companion object {
        /** What the systems leave a job that is told to stop. */
        const val HOLD_MS = 3_000L
    }
}

private fun MutableStateFlow<Snapshot>.update(next: Snapshot) = update { if (next.revision >= it.revision) next else it }

/** An ask becomes a coroutine, and its end the answer. What it throws is "not now". */
private class Credentials(private val scope: CoroutineScope, private val source: CredentialSource) : CredentialProvider {
    override fun provide(ask: CredentialAsk) = guarded {
        val job = scope.launch {
            source.credential(ask.account(), ask.service(), ask.why())?.let(ask::supply)
        }
        // Also when it was cancelled before it began; freed unanswered is "not now".
        job.invokeOnCompletion { ask.destroy() }
        Unit
    }
}

private class Sources(private val scope: CoroutineScope, private val opener: SourceOpener) : SourceProvider {
    override fun open(ask: SourceAsk) = guarded {
        val job = scope.launch { opener.open(ask)?.let(ask::supply) }
        job.invokeOnCompletion { ask.destroy() }
        Unit
    }
}

private class Signatures(private val scope: CoroutineScope, private val signer: RequestSigner) : Signer {
    override fun sign(ask: SignAsk) = guarded {
        val job = scope.launch { signer.sign(ask)?.let { ask.supply(Secret(it)) } }
        job.invokeOnCompletion { ask.destroy() }
        Unit
    }
}

private class GuardedLog(private val log: PartwayLog) : LogSink {
    override fun log(level: LogLevel, target: String, line: String) = guarded { log.log(level, target, line) }
}

private class GuardedTransport(private val transport: Transport) : Transport {
    override fun execute(call: TransportCall) = guarded { transport.execute(call) }
}
