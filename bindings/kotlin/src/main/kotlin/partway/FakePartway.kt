package partway

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.firstOrNull
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.takeWhile
import kotlinx.coroutines.withTimeoutOrNull

/**
 * A client for tests of an app: no native library, no thread, nothing happens by itself. [emit] plays what should be seen; what the app asked for is noted.
 * Verbs do the obvious: a pause shows as paused, a cancel as cancelled, what is forgotten is gone, and a key that failed or was cancelled is begun again under a new
 * id. Rows, waits and endings are those of the real client. Nothing in it blocks, and what is told is told on the thread that changed it.
 */
class FakePartway : PartwayClient {
    private val rows = Rows()
    private val over = MutableStateFlow(false)
    private val holding = MutableStateFlow(false)
    private var made = 0

    /** What was started, by id. */
    val requests: MutableMap<String, UploadRequest> = LinkedHashMap()

    /** Conflicts that were answered, in order. */
    val answers: MutableList<ConflictChoice> = ArrayList()

    /** Sources that were attached, by id. */
    val attached: MutableMap<String, Source> = LinkedHashMap()

    /** Credentials that were set, by account. */
    val credentials: MutableMap<String, Credential> = LinkedHashMap()

    /** The network that was told last. */
    var network: Network? = null
        private set

    override var limits: Limits = Limits()
        private set

    /** True between [hold] and [go]. */
    val held: Boolean
        get() = holding.value

    /** True once closed. */
    val closed: Boolean
        get() = over.value

    /** The error that the next [start] throws. */
    var refuseNext: ErrorInfo? = null

    override val uploads: StateFlow<Map<String, Snapshot>> = rows.uploads
    override val endings: Flow<Snapshot> = rows.endings()
    override val idles: Flow<Idle> = combine(uploads, holding, over) { _, _, over -> if (over) null else present() }
        .takeWhile { it != null }.distinctUntilChanged { old, new -> old?.atRest == new?.atRest }.filter { it?.atRest == true }.map { present() }
    override val problems: List<Problem> = emptyList()

    /** Shows [snapshot], as the newest of its id. */
    fun emit(snapshot: Snapshot) {
        rows.show(listOf(snapshot.copy(revision = (uploads.value[snapshot.id]?.revision ?: 0) + 1)))
    }

    /** Shows the upload of [id] in another state. */
    fun emit(id: String, state: State, progress: Progress = row(id).progress) = emit(row(id).copy(state = state, progress = progress))

    override suspend fun start(request: UploadRequest): StartedUpload {
        requireOpen()
        refuseNext?.let {
            refuseNext = null
            throw PartwayException(it)
        }
        val known = find(request.key) ?: return begin(How.New, request, fakeSnapshot("", request.key).copy(group = request.group, tags = request.tags))
        if (!known.mayBeginAgain()) return StartedUpload(this, known.id, How.AlreadyThere)
        return begin(How.Continued(known.id), request, known.copy(group = request.group, tags = request.tags))
    }

    /** A new row like [row], under an id of its own. */
    private fun begin(how: How, request: UploadRequest?, row: Snapshot): StartedUpload {
        if (how is How.Continued) rows.forgotten(listOf(how.from))
        val id = (++made).toString().padStart(26, '0')
        request?.let { requests[id] = it }
        emit(row.copy(id = id, state = State.Queued))
        return StartedUpload(this, id, how)
    }

    private fun Snapshot.mayBeginAgain(): Boolean = state is State.Failed || state is State.Cancelled

    override suspend fun startAll(requests: List<UploadRequest>): List<Result<StartedUpload>> = requests.map { runCatching { start(it) } }

    override fun pause(which: Select): Int = move(which, State.Paused)

    override fun resume(which: Select): Int = move(which, State.Queued)

    override fun cancel(which: Select): Int = move(which, State.Cancelled(Remote.NOTHING_THERE))

    override suspend fun forget(which: Select): Int {
        requireOpen()
        val ended = list(which).filter { it.state.ended }.map(Snapshot::id)
        rows.forgotten(ended)
        return ended.size
    }

    override suspend fun retry(id: String): StartedUpload {
        requireOpen()
        val old = snapshot(id) ?: throw unknownUpload()
        if (!old.mayBeginAgain()) throw wrongState()
        return begin(How.Continued(id), requests[id], old)
    }

    override fun change(which: Select, change: Change): Int = requireOpen().let { list(which).count { !it.state.ended } }

    override fun answerConflict(id: String, choice: ConflictChoice) {
        requireOpen()
        answers += choice
        emit(id, State.Queued)
    }

    override fun attachSource(id: String, source: Source) {
        requireOpen()
        attached[id] = source
        emit(id, State.Queued)
    }

    override fun snapshot(id: String): Snapshot? = uploads.value[id]

    override fun find(key: String): Snapshot? = list(Select.Key(key)).firstOrNull()

    override fun list(which: Select): List<Snapshot> = rows.list(which)

    override fun snapshots(id: String): Flow<Snapshot> = rows.snapshots(id)

    override suspend fun awaitEnd(id: String): Snapshot = rows.awaitEnd(id)

    override fun explain(id: String): Explanation? = snapshot(id)?.let { Explanation(it.state, it.changedUnixMs, emptyList(), null, 0, 0, Remedy.NONE, "") }

    override suspend fun timelineJson(id: String): String? = null

    override suspend fun lookRemote(id: String): RemoteLook = RemoteLook.NoSession

    override fun setCredential(account: String, credential: Credential) {
        if (!closed) credentials[account] = credential
    }

    override suspend fun signOut(account: String, then: SignOut) {
        credentials -= account
    }

    override fun setNetwork(network: Network) {
        this.network = network
    }

    override fun setLimits(limits: Limits) {
        this.limits = limits
    }

    override fun setProxy(proxy: Secret?) = Unit

    override fun go() {
        holding.value = false
    }

    override fun goOnly(ids: List<String>) = go()

    override suspend fun hold(timeoutMs: Long): Idle {
        requireOpen()
        holding.value = true
        return idle().copy(atRest = true)
    }

    override fun idle(): Idle = requireOpen().let { present() }

    private fun present(): Idle {
        val states = uploads.value.values.map(Snapshot::state)
        val (active, queued) = states.count { it is State.Active } to states.count { it == State.Queued }
        return Idle(held || active + queued == 0, active, queued, 0, null, NetworkPolicy.ANY, states.count { it is State.Waiting })
    }

    override suspend fun awaitIdle(timeoutMs: Long?): Idle =
        if (timeoutMs == null) rest() else withTimeoutOrNull(timeoutMs) { rest() } ?: idle()

    private suspend fun rest(): Idle = idles.firstOrNull() ?: throw closedError()

    override suspend fun runUntilIdle(): Idle {
        go()
        return try {
            rest()
        } catch (e: CancellationException) {
            holding.value = true
            throw e
        }
    }

    override suspend fun close(timeoutMs: Long): Boolean = true.also { close() }

    override fun close() {
        rows.finish(list(Select.All))
        over.value = true
    }

    /** What a closed client can't do any more. */
    private fun requireOpen() {
        if (closed) throw closedError()
    }

    private fun row(id: String): Snapshot = requireNotNull(snapshot(id)) { "nothing was emitted of $id" }

    private fun move(which: Select, state: State): Int {
        if (closed) return 0
        val moved = list(which).filter { !it.state.ended }
        moved.forEach { emit(it.id, state) }
        return moved.size
    }
}

/** A snapshot for a test; `copy` it into what is needed. */
fun fakeSnapshot(id: String, key: String = id, state: State = State.Queued): Snapshot = Snapshot(
    id = id, key = key, group = null, tags = emptyMap(), service = Service.SMH, account = "me", destination = key,
    network = NetworkPolicy.ANY, revision = 1,
    state = state, progress = Progress(0, 0, 0, 0, 0, 0, 0, null, 0, 0, 0, 0), createdUnixMs = 0, changedUnixMs = 0,
)
