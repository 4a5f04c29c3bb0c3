package partway

import java.io.File
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.firstOrNull
import kotlinx.coroutines.flow.mapNotNull
import kotlinx.coroutines.flow.takeWhile
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/** The client over the native library: the rows of what it tells, and asks in the form of coroutines. [onClosed] is called once, when the directory is free again. */
internal class LivePartway(stateDir: File, options: PartwayOptions, private val onClosed: (LivePartway) -> Unit) : PartwayClient {
    private val log = options.log

    /** What the app's lambdas throw is an answer, "not now", and must not end the app. Its words can hold anything: the class alone is told. */
    private val onThrown = CoroutineExceptionHandler { _, fault ->
        runCatching { log?.log(LogLevel.ERROR, "host", "what was asked for a credential, a source or a signature threw ${fault.javaClass.name}") }
    }
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default + onThrown)
    internal val rows = Rows { id -> now({ null }) { it.snapshot(id) } }

    /** How often it was told that nothing works any more; [OVER] once nothing is told any more. */
    private val rests = MutableStateFlow(0L)

    @Volatile
    private var closed = false

    /** A close is under way, or over. */
    @Volatile
    var isClosing: Boolean = false
        private set
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
        rows.read { native.list(Select.All) }
    }

    override val uploads: StateFlow<Map<String, Snapshot>>
        get() = rows.uploads

    override val endings: Flow<Snapshot> = rows.endings()

    // What is told may be over by the time that it is heard of: the present counts.
    override val idles: Flow<Idle> = rests.takeWhile { it != OVER }.mapNotNull { now({ null }) { it.idle() }?.takeIf(Idle::atRest) }

    override val problems: List<Problem> = native.problems()

    @Volatile
    override var limits: Limits = options.limits ?: Limits()
        private set

    override suspend fun start(request: UploadRequest): StartedUpload = disk { native -> shown(native, listOf(native.start(request))).single() }

    override suspend fun startAll(requests: List<UploadRequest>): List<Result<StartedUpload>> = disk { native ->
        val results = native.startAll(requests)
        val uploads = shown(native, results.filterIsInstance<StartResult.Started>().map { it.started }).iterator()
        results.map { result ->
            when (result) {
                is StartResult.Started -> Result.success(uploads.next())
                is StartResult.Refused -> Result.failure(PartwayException(result.error))
            }
        }
    }

    /** The rows of these are there, and those whose place they took are gone. */
    private fun shown(native: NativeClient, started: List<Started>): List<StartedUpload> {
        rows.drop(started.mapNotNull { (it.how as? How.Continued)?.from })
        rows.read { started.mapNotNull { native.snapshot(it.id) } }
        return started.map { StartedUpload(this, it.id, it.how) }
    }

    override fun pause(which: Select): Int = now({ 0 }) { it.pause(which) }

    override fun resume(which: Select): Int = now({ 0 }) { it.resume(which) }

    override fun cancel(which: Select): Int = now({ 0 }) { it.cancel(which) }

    override suspend fun forget(which: Select): Int = disk { native ->
        val (ended, others) = rows.list(which).partition { it.state.ended }
        val count = native.forget(which)
        val gone = { row: Snapshot -> native.snapshot(row.id) == null }
        var forgotten = ended.filter(gone)
        // Some ended so lately that it was not told yet; whoever waits for one of these is given the ending when it is.
        if (forgotten.size < count) forgotten = forgotten + others.filter(gone)
        rows.drop(forgotten.map(Snapshot::id))
        count
    }

    override suspend fun retry(id: String): StartedUpload = disk { native -> shown(native, listOf(native.retry(id))).single() }

    override fun change(which: Select, change: Change): Int = call { it.change(which, change) }

    override fun answerConflict(id: String, choice: ConflictChoice) = call { it.answerConflict(id, choice) }

    override fun attachSource(id: String, source: Source) = call { it.attachSource(id, source) }

    override fun snapshot(id: String): Snapshot? = list(Select.One(id)).firstOrNull()

    override fun find(key: String): Snapshot? = list(Select.Key(key)).firstOrNull()

    override fun list(which: Select): List<Snapshot> = now({ rows.list(which) }) { rows.present(it.list(which)) }

    override fun snapshots(id: String): Flow<Snapshot> = rows.snapshots(id)

    override suspend fun awaitEnd(id: String): Snapshot = rows.awaitEnd(id)

    override fun explain(id: String): Explanation? = now({ null }) { it.explain(id) }

    override suspend fun timelineJson(id: String): String? = disk { it.timelineJson(id) }

    override suspend fun lookRemote(id: String): RemoteLook = on(Threads.network) { it.lookRemote(id) }

    override fun setCredential(account: String, credential: Credential) = now({}) { it.setCredential(account, credential) }

    override suspend fun signOut(account: String, then: SignOut) = disk { it.signOut(account, then) }

    override fun setNetwork(network: Network) = now({}) { it.setNetwork(network) }

    override fun setLimits(limits: Limits) = now({}) {
        synchronized(this) {
            it.setLimits(limits)
            this.limits = limits
        }
    }

    override fun setProxy(proxy: Secret?) = call { it.setProxy(proxy) }

    override fun go() = now({}) { it.go() }

    override fun goOnly(ids: List<String>) = now({}) { it.goOnly(ids) }

    override suspend fun hold(timeoutMs: Long): Idle = on(Threads.rest) { it.hold(timeoutMs) }

    override fun idle(): Idle = call { it.idle() }

    override suspend fun awaitIdle(timeoutMs: Long?): Idle =
        if (timeoutMs == null) rest() else withTimeoutOrNull(timeoutMs) { rest() } ?: idle()

    override suspend fun runUntilIdle(): Idle {
        go()
        return try {
            rest()
        } catch (e: CancellationException) {
            withContext(NonCancellable) { runCatching { hold(HOLD_MS) } }
            throw e
        }
    }

    private suspend fun rest(): Idle = idles.firstOrNull() ?: throw closedError()

    override suspend fun close(timeoutMs: Long): Boolean = withContext(Threads.rest + NonCancellable) { end(timeoutMs) }

    override fun close() {
        end(0)
    }

    /** Waits for nobody else: a close at once cuts short one that takes its time. */
    private fun end(timeoutMs: Long): Boolean {
        isClosing = true
        val rested = try {
            if (closed) return true
            native.shutdown(timeoutMs)
        } catch (e: IllegalStateException) {
            // The other one was faster: the native object is gone.
            if (closed) return true
            throw e
        }
        val first = synchronized(this) {
            if (!closed) rows.finish(native.list(Select.All))
            !closed.also { closed = true }
        }
        if (first) {
            rests.value = OVER
            scope.cancel()
            native.destroy()
            onClosed(this)
        }
        return rested
    }

    /** A call that does no I/O. */
    private inline fun <T> call(function: (NativeClient) -> T): T {
        if (closed) throw closedError()
        return try {
            thrown { function(native) }
        } catch (e: IllegalStateException) {
            // Closed since the line above: the native object is gone.
            throw if (closed) closedError() else e
        }
    }

    /** The same for one that a closed client ignores. */
    private inline fun <T> now(afterClose: () -> T, verb: (NativeClient) -> T): T = try {
        call(verb)
    } catch (e: PartwayException) {
        if (closed) afterClose() else throw e
    }

    private suspend inline fun <T> disk(crossinline function: (NativeClient) -> T): T = on(Threads.disk, function)

    private suspend inline fun <T> on(threads: CoroutineDispatcher, crossinline function: (NativeClient) -> T): T =
        withContext(threads) { call { function(it) } }

    private inner class Told : Listener {
        override fun onChanges(changes: List<Snapshot>) = guarded { rows.show(changes) }

        override fun onForgotten(ids: List<String>) = guarded { rows.forgotten(ids) }

        override fun onIdle(idle: Idle) = guarded { rests.update { if (it == OVER) it else it + 1 } }
    }

    private companion object {
        /** What the systems leave a job that is told to stop. */
        const val HOLD_MS = 3_000L
        const val OVER = -1L
    }
}

/** An ask becomes a coroutine, and its end the answer. What it throws is "not now". */
private class Credentials(private val scope: CoroutineScope, private val source: CredentialSource) : CredentialProvider {
    override fun provide(ask: CredentialAsk) = guarded {
        val job = scope.launch {
            source.credential(ask)?.let(ask::supply)
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
    override fun execute(call: TransportCall) = guarded {
        try {
            transport.execute(call)
        } catch (e: Throwable) {
            // It is a connection that broke, whoever else may still hold the call.
            call.destroy()
            throw e
        }
    }
}
